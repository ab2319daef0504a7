import Basics

// The words of enumerations that every line has, as literals: they are written from where they lie, and no string is made of
// them. Each is the raw value.

extension Direction {
  var word: StaticString { self == .c2s ? "c2s" : "s2c" }
}

extension Via {
  var word: StaticString {
    switch self {
    case .post: "post"
    case .sse: "sse"
    case .json: "json"
    case .postSSE: "post-sse"
    case .getSSE: "get-sse"
    case .stdio: "stdio"
    }
  }
}

extension Origin {
  var word: StaticString {
    switch self {
    case .agent: "agent"
    case .sdk: "sdk"
    }
  }
}

extension AfterReason {
  var word: StaticString {
    switch self {
    case .uses: "uses"
    case .protocol: "protocol"
    case .order: "order"
    }
  }
}

extension Outcome {
  var word: StaticString {
    switch self {
    case .transportError: "transport_error"
    case .timeout: "timeout"
    case .cancelled: "cancelled"
    case .sessionLost: "session_lost"
    case .jsonrpcError: "jsonrpc_error"
    case .httpError: "http_error"
    case .toolError: "tool_error"
    case .ok: "ok"
    case .unanswered: "unanswered"
    }
  }
}

extension ResponseLine.EndedBy {
  var word: StaticString {
    switch self {
    case .client: "client"
    case .server: "server"
    case .capture: "capture"
    }
  }
}
