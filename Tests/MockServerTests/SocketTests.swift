import Basics
import MockServer
import Testing

@Suite(.timeLimit(.minutes(5)))
struct `Server socket` {
  private let trace = recording {
    $0.session("s1")
    $0.handshake("s1", takes: 1)
    $0.call("s1", 3, "slow", "{}", takes: 80, text: "slow one", via: "json")
    $0.call("s1", 5, "fast", "{}", takes: 1, text: "fast one", via: "json")
    $0.call("s1", 7, "stream", "{}", takes: 20, text: "streamed")
    $0.exchange(
      "s1", 9, "tools/call", #"{"name":"break"}"#, takes: 1, "", outcome: "transport_error",
      via: "json")
  }

  /// Runs a server for the time of `body`.
  private func serve(_ body: (ServerSocket) async throws -> Void) async throws -> ServerCounts {
    let server = ScriptedServer(book: try trace.book(), atOnce: false, seed: 1)
    let socket = try await ServerSocket.listen(host: "127.0.0.1", port: 0, server: server)
    do { try await body(socket) } catch {
      _ = try await socket.stop()
      throw error
    }
    return try await socket.stop()
  }

  private func initialize(
    _ client: HTTPClient, _ reader: inout HTTPClient.Reader
  ) async throws -> String {
    try await client.send(HTTPClient.request("POST", body: Stage.initialize()))
    return try #require(try await reader.response().fields.first("mcp-session-id"))
  }

  @Test func `answers pipelined calls in order after their service times`() async throws {
    let counts = try await serve { socket in
      try await HTTPClient.run(port: socket.port) { client, reader in
        let session = try await initialize(client, &reader)
        let calls = ["slow", "fast", "stream"].map {
          HTTPClient.request("POST", session: session, body: Stage.call($0, "{}"))
        }
        let start = ContinuousClock.now
        try await client.send(calls.joined())
        for text in ["slow one", "fast one", "streamed"] {
          let response = try await reader.response()
          #expect(response.status == 200)
          #expect(response.body.contains(#"{"jsonrpc":"2.0","id":7,"result":{"text":"\#(text)"}}"#))
          #expect(ContinuousClock.now - start >= .milliseconds(80))
        }
      }
    }
    #expect(counts.requests == 4)
    #expect(counts.asRecorded == 4)
  }

  @Test func `ends the GET stream of one connection by DELETE on another`() async throws {
    _ = try await serve { socket in
      try await HTTPClient.run(port: socket.port) { stream, streamReader in
        let session = try await initialize(stream, &streamReader)
        try await stream.send(HTTPClient.request("GET", session: session))
        let opened = try await streamReader.until { $0.status == 200 && !$0.isComplete }
        #expect(opened.fields.first("content-type") == "text/event-stream")
        try await HTTPClient.run(port: socket.port) { client, reader in
          try await client.send(HTTPClient.request("DELETE", session: session))
          #expect(try await reader.response().status == 200)
        }
        #expect(try await streamReader.response().isComplete)
        let body = Stage.call("fast", "{}")
        try await stream.send(HTTPClient.request("POST", session: session, body: body))
        #expect(try await streamReader.until { $0.status != 200 }.status == 404)
      }
    }
  }

  @Test func `carries many connections at once`() async throws {
    let counts = try await serve { socket in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<300 {
          group.addTask {
            try await HTTPClient.run(port: socket.port) { client, reader in
              let session = try await initialize(client, &reader)
              let body = Stage.call("slow", "{}")
              try await client.send(HTTPClient.request("POST", session: session, body: body))
              return try await reader.response().body.contains("slow one")
            }
          }
        }
        for try await isAnswered in group { #expect(isAnswered) }
      }
    }
    #expect(counts.sessions == 300)
  }

  @Test func `closes where the recorded connection broke, where asked to, and on garbage`()
    async throws
  {
    _ = try await serve { socket in
      try await HTTPClient.run(port: socket.port) { client, reader in
        let session = try await initialize(client, &reader)
        let body = Stage.call("break", "null")
        try await client.send(HTTPClient.request("POST", session: session, body: body))
        #expect(try await reader.isAtEnd())
      }
      try await HTTPClient.run(port: socket.port) { client, reader in
        let body = Stage.initialize()
        try await client.send(
          HTTPClient.request("POST", body: body, fields: "connection: close\r\n"))
        #expect(try await reader.response().status == 200)
        #expect(try await reader.isAtEnd())
      }
      try await HTTPClient.run(port: socket.port) { client, reader in
        try await client.send("\u{1}\u{2}\u{3} this is no HTTP\r\n\r\n")
        #expect(try await reader.response().status == 400)
        #expect(try await reader.isAtEnd())
      }
    }
  }

  @Test func `goes on when clients leave in the middle of an answer`() async throws {
    let counts = try await serve { socket in
      try await HTTPClient.run(port: socket.port) { client, reader in
        let session = try await initialize(client, &reader)
        for tool in ["slow", "stream"] {
          try await HTTPClient.run(port: socket.port) { other, _ in
            let body = Stage.call(tool, "{}")
            try await other.send(HTTPClient.request("POST", session: session, body: body))
          }
        }
        let body = Stage.call("slow", "{}")
        try await client.send(HTTPClient.request("POST", session: session, body: body))
        #expect(try await reader.response().body.contains("slow one"))
      }
    }
    #expect(counts.refused == 0)
  }

  @Test func `says which port is taken`() async throws {
    _ = try await serve { socket in
      let server = ScriptedServer(book: try trace.book(), atOnce: true, seed: 1)
      let error = await #expect(throws: ServerSocket.BindError.self) {
        try await ServerSocket.listen(host: "127.0.0.1", port: socket.port, server: server)
      }
      #expect(error?.place == "127.0.0.1:\(socket.port)")
      #expect(error?.cause == "Address already in use")
    }
  }
}
