import Basics
import Glibc
import NIOCore
import TestKit
import Testing
import Trace

struct `Trace writer` {
  static let footer = FooterLine(
    counts: ["wrong": 9], bytesIn: 10, bytesExplained: 8,
    loss: ["tcp.gap": FooterLine.Loss(count: 1, bytes: 2)])

  /// A line of `size` bytes in the file.
  static func line(_ size: Int) -> TraceEvent {
    let empty = TraceEvent.loss(LossLine(t: 0, kind: "")).line.bytes.readableBytes + 1
    return .loss(LossLine(t: 0, kind: String(repeating: "k", count: size - empty)))
  }

  @Test func `writes what is read back, with its own counts`() throws {
    try TemporaryFile.with { path in
      let writer = try TraceWriter(path: path)
      let events = ([Samples.header] + Samples.all).map(\.event)
      for event in events { writer.write(event) }
      #expect(writer.close(footer: Self.footer) == nil)
      let read = try TraceReader.events(of: path)
      #expect(read.dropLast() == events[...])
      guard case .footer(let footer) = read.last else {
        Issue.record("no footer")
        return
      }
      var expected = Self.footer
      expected.counts = [
        "header": 1, "connection": 2, "session": 2, "end": 2, "request": 2, "response": 2,
        "notification": 2, "http": 2, "exchange": 2, "sse": 2, "loss": 2, "footer": 2, "regroup": 1,
      ]
      #expect(footer == expected)
      #expect(writer.counts["request"] == 2)
      #expect(writer.linesLost == 0)
      let text = try Self.contents(path)
      #expect(writer.bytesWritten == text.utf8.count)
      #expect(text.hasSuffix("}\n"))
    }
  }

  @Test func `writes nothing before a flush and all of it then`() throws {
    try TemporaryFile.with { path in
      let writer = try TraceWriter(path: path)
      writer.write(Samples.minimalHeader.event)
      #expect(try Self.contents(path) == "")
      #expect(writer.bytesWritten == 0)
      writer.flush()
      #expect(try Self.contents(path) == Samples.minimalHeader.text + "\n")
      writer.flush()
      #expect(try Self.contents(path) == Samples.minimalHeader.text + "\n")
      #expect(writer.counts == ["header": 1])
    }
  }

  @Test func `writes by itself when much has gathered`() throws {
    try TemporaryFile.with { path in
      let writer = try TraceWriter(path: path)
      for _ in 0..<255 { writer.write(Self.line(1 << 10)) }
      #expect(writer.bytesWritten == 0)
      writer.write(Self.line(1 << 10))
      #expect(writer.bytesWritten == 256 << 10)
    }
  }

  @Test func `creates its file for the owner alone`() throws {
    try TemporaryFile.with { path in
      unsafe unlink(path)
      let old = umask(0)
      defer { umask(old) }
      let writer = try TraceWriter(path: path)
      var status = stat()
      #expect(unsafe stat(path, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
      #expect(writer.close(footer: Self.footer) == nil)
    }
  }

  @Test func `replaces what a file held`() throws {
    try TemporaryFile.with(String(repeating: "old ", count: 1000)) { path in
      let writer = try TraceWriter(path: path)
      writer.write(Samples.minimalHeader.event)
      writer.flush()
      #expect(try Self.contents(path) == Samples.minimalHeader.text + "\n")
    }
  }

  @Test func `says why a file can't be created`() {
    let error = #expect(throws: TraceWriter.CreationError.self) {
      try TraceWriter(path: "/nonexistent/a.mcptrace")
    }
    #expect(error?.errno == ENOENT)
    #expect(error?.path == "/nonexistent/a.mcptrace")
  }

  @Test func `counts what a full disk refuses and goes on`() throws {
    let writer = try TraceWriter(path: "/dev/full")
    writer.write(Samples.minimalHeader.event)
    writer.write(Self.line(100))
    #expect(writer.failure == nil)
    writer.flush()
    #expect(writer.failure == ENOSPC)
    #expect(writer.linesLost == 2)
    #expect(writer.counts.isEmpty)
    writer.write(Self.line(100))
    #expect(writer.counts == ["loss": 1])
    writer.flush()
    #expect(writer.linesLost == 3)
    #expect(writer.close(footer: Self.footer) == ENOSPC)
    #expect(writer.linesLost == 4)
    #expect(writer.bytesWritten == 0)
  }

  @Test func `cuts a line that went out in part back to the last whole one`() throws {
    let file = try FullFiles.sealed(size: 3 * 4096)
    defer { close(file.reading) }
    let writer = TraceWriter(descriptor: file.writing)
    writer.write(Self.line(5000))
    writer.flush()
    #expect(writer.failure == nil)
    writer.write(Self.line(6000))
    writer.write(Self.line(6000))
    writer.flush()
    #expect(writer.failure == EPERM)
    #expect(writer.linesLost == 2)
    #expect(writer.counts == ["loss": 1])
    #expect(writer.bytesWritten == 5000)
    #expect(lseek(file.reading, 0, SEEK_END) == 5000)
    #expect(writer.close(footer: Self.footer) == EPERM)
    #expect(lseek(file.reading, 0, SEEK_END) == 5000)
  }

  @Test func `tells of what was lost once it can write again`() throws {
    // A pipe that takes part of a batch and can't be cut back.
    let pipe = try FullFiles.pipe()
    defer { close(pipe.reading) }
    let writer = TraceWriter(descriptor: pipe.writing)
    let first = Self.line(pipe.capacity - 10_000)
    writer.write(first)
    writer.flush()
    #expect(writer.failure == nil)
    writer.write(Self.line(20_000))
    writer.write(Self.line(200))
    writer.flush()
    #expect(writer.failure == EAGAIN)
    #expect(writer.linesLost == 2)
    #expect(writer.isPaused)
    var text = FullFiles.drain(pipe.reading)
    writer.write(Samples.minimalHeader.event)
    #expect(writer.close(footer: Self.footer) == EAGAIN)
    text += FullFiles.drain(pipe.reading)
    var footer = Self.footer
    footer.counts = ["header": 1, "loss": 2]
    footer.loss["trace.not_written"] = FooterLine.Loss(count: 2, bytes: 0)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.count == 5)
    #expect(lines.first == first.line.text)
    #expect(lines.dropFirst().first.map { Self.line(20_000).line.text.hasPrefix($0) } == true)
    #expect(
      Array(lines.dropFirst(2)) == [
        #"{"type":"loss","t":0,"kind":"trace.not_written","bytes":20200,"lines":2,"until":0}"#,
        Samples.minimalHeader.text, TraceEvent.footer(footer).line.text,
      ])
    #expect(writer.bytesWritten == text.utf8.count)
  }

  @Test func `tells of what was lost even when nothing else comes`() throws {
    let pipe = try FullFiles.pipe()
    defer { close(pipe.reading) }
    let writer = TraceWriter(descriptor: pipe.writing)
    writer.write(Self.line(pipe.capacity))
    writer.flush()
    writer.write(Self.line(pipe.capacity))
    writer.flush()
    #expect(writer.linesLost == 1)
    _ = FullFiles.drain(pipe.reading)
    writer.flush()
    #expect(!writer.isPaused)
    #expect(
      FullFiles.drain(pipe.reading)
        == #"{"type":"loss","t":0,"kind":"trace.not_written","bytes":\#(pipe.capacity),"lines":1,"until":0}"#
        + "\n")
  }

  @Test func `says from when to when lines are missing, once for all that are`() throws {
    func request(_ t: Int64) -> TraceEvent {
      .request(
        RequestLine(
          session: "s1", n: Int(t), t: t, dir: .c2s, id: RawJSON(.int(1)), method: "tools/call"))
    }
    let pipe = try FullFiles.pipe()
    defer { close(pipe.reading) }
    let writer = TraceWriter(descriptor: pipe.writing)
    writer.write(request(5))
    writer.write(Self.line(pipe.capacity - request(5).line.bytes.readableBytes - 1))
    writer.flush()
    #expect(!writer.isPaused)
    for t in [7, 9] as [Int64] {
      writer.write(request(t))
      writer.flush()
    }
    #expect(writer.linesLost == 2)
    _ = FullFiles.drain(pipe.reading)
    writer.write(request(11))
    writer.flush()
    let bytes = request(7).line.bytes.readableBytes + request(9).line.bytes.readableBytes + 2
    #expect(
      FullFiles.drain(pipe.reading)
        == #"{"type":"loss","t":5,"kind":"trace.not_written","bytes":\#(bytes),"lines":2,"until":9}"#
        + "\n" + request(11).line.text + "\n")
  }

  private static func contents(_ path: String) throws -> String {
    let descriptor = unsafe open(path, O_RDONLY)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    return FullFiles.drain(descriptor)
  }
}
