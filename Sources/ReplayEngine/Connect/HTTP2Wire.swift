import Basics
import NIOCore
import ReplayPlan
import Wire

/// What runs on an HTTP/2 connection: the client's machine and an answer under way for each stream.
final class HTTP2Wire {
  struct Stream {
    var job: AgentConnection.Job
    var answers = AnswerAssembly()
    var hasAnswer = false
  }

  var client = HTTP2Client()
  var streams: [Int: Stream] = [:]
  /// Requests for which the server has no stream left at the moment.
  var queue: [AgentConnection.Job] = []

  /// Opens streams for what waits, as far as there is room.
  func fill(isSecure: Bool) {
    while client.hasRoom, !queue.isEmpty {
      let job = queue.removeFirst()
      let (fields, body) = HTTP2Wire.request(
        job.transmission.bytes, bodyLength: job.transmission.bodyLength, isSecure: isSecure)
      streams[client.request(fields, body: body)] = Stream(job: job)
    }
  }

  /// The request as fields, of its HTTP/1.1 form (RFC 9113 §8.3.1).
  static func request(
    _ bytes: ByteBuffer, bodyLength: Int, isSecure: Bool
  ) -> ([HeaderField], ByteBuffer?) {
    let split = bytes.writerIndex - bodyLength
    let head = bytes.getString(at: bytes.readerIndex, length: split - bytes.readerIndex) ?? ""
    let body = bodyLength > 0 ? bytes.getSlice(at: split, length: bodyLength) : nil
    var lines = head.split(separator: "\r\n")[...]
    let start = lines.popFirst()?.split(separator: " ") ?? []
    var authority = ""
    var fields: [HeaderField] = []
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = line[..<colon].lowercased()
      let value = String(line[line.index(after: colon)...].drop { $0 == " " })
      switch name {
      case "host": authority = value
      // These are of a connection in HTTP/1.1 (RFC 9113 §8.2.2).
      case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade": break
      default: fields.append(HeaderField(name, value))
      }
    }
    let pseudo = [
      HeaderField(":method", String(start.first ?? "POST")),
      HeaderField(":scheme", isSecure ? "https" : "http"), HeaderField(":authority", authority),
      HeaderField(":path", String(start.count > 1 ? start[1] : "/")),
    ]
    return (pseudo + fields, body)
  }
}
