public import Basics
import MCP
import NIOCore
import Trace

/// Where a replay goes and what the user adds to every request.
public struct ReplayTarget: Hashable, Sendable {
  /// Host name or address to connect to.
  public var host: String
  /// TCP port.
  public var port: Int
  /// `Host` header.
  public var authority: String
  /// Path with query; `nil` takes the recorded one.
  public var path: String?
  /// Fields added to every request, instead of recorded ones of the same name.
  public var headers: [HeaderField]
  /// A stdio server that each agent starts for itself, with its arguments; then all of the above is without effect.
  public var command: [String]?
  /// What agents have of their own.
  public var feed: Feed?

  /// Describes a target.
  public init(
    host: String, port: Int, authority: String, path: String?, headers: [HeaderField] = []
  ) {
    self.host = host
    self.port = port
    self.authority = authority
    self.path = path
    self.headers = headers
  }

  /// Describes a stdio server.
  public init(command: [String]) {
    self.init(host: "", port: 0, authority: "", path: nil)
    self.command = command
  }
}

/// The requests of one script for one target, prepared once for all clones.
public final class RequestBook: Sendable {
  let templates: [RequestTemplate]
  /// For answers to the server's requests and notices that are no step of the script.
  let extra: RequestTemplate
  /// For taking up a stream that ended early; `Last-Event-ID` is added.
  let resume: RequestTemplate
  /// Where it goes.
  let path: String
  let target: ReplayTarget
  /// What an agent asks of each step all the time.
  let facts: [StepFacts]
  /// For each step those that wait for it, and how many it waits for itself.
  let followers: [[Follower]]
  let waits: [Int32]
  /// The recorded client's first id.
  let firstID: Int64
  /// The step that opens the session's stream; `nil` for other transports than HTTP+SSE.
  let channelStep: Int?
  /// The steps that open a session: its request, its notification, and its stream; `nil` where the script opens none.
  let handshake: (initialize: Int, initialized: Int?, stream: Int?)?
  /// True when messages go to a stdio server: streams and the session's deletion are HTTP's alone.
  let isStdio: Bool

  /// Prepares the requests of `script`.
  public init(_ script: AgentScript, _ target: ReplayTarget) {
    facts = script.session.steps.indices.map { StepFacts($0, script) }
    followers = script.successors.enumerated().map { i, steps in
      steps.map {
        let step = script.session.steps[$0]
        return Follower(
          step: $0, isAfter: step.after.contains(i), isGated: step.gates.contains(i))
      }
    }
    let script = script.session
    waits = script.steps.map { Int32(Set($0.after + $0.gates).count) }
    firstID = script.steps.lazy.compactMap { $0.id?.value.int }.first ?? 0
    let steps = script.steps
    handshake = steps.firstIndex { $0.method == Method.initialize && !$0.isModern }.map { i in
      (
        i, steps.firstIndex { $0.method == "notifications/initialized" },
        steps.firstIndex { $0.kind == .openStream }
      )
    }
    channelStep =
      script.transport == .httpSSE && target.command == nil
      ? script.steps.firstIndex { $0.kind == .openStream } : nil
    let path = target.path ?? script.path
    self.path = path
    self.target = target
    isStdio = target.command != nil
    templates = script.steps.map { RequestBook.template($0, path, target) }
    var typical = ScriptStep(n: 0, kind: .notification, method: "")
    typical.headers =
      script.steps.first { $0.kind == .request && !$0.isModern }?.headers
      ?? script.steps.first?.headers ?? []
    extra = RequestBook.template(typical, path, target)
    typical.kind = .openStream
    resume = RequestBook.template(typical, path, target)
  }

  /// What the client said in a round, with the values of this run where there are any.
  static func said(_ answer: ScriptStep.Round.Answer, _ values: [RawJSON?]) -> RawJSON {
    let places = answer.bindings.map { place($0) }
    let template = RequestTemplate(
      verb: "", path: "", head: ByteBuffer(), isInSession: false, hasBody: true,
      body: ParamsCut.pieces(answer.response, places))
    return RawJSON(trusted: template.body(RequestFill(values: values)))
  }

  private static func place(_ binding: ScriptStep.Binding) -> ParamsCut.Place {
    let value = LiveValue(number: binding.value, recorded: RawJSON(.null), isPart: false)
    return .init(steps: binding.at.steps[...], within: binding.within, piece: .value(value))
  }

  /// A poll of the task with which a call was answered that had its result at once in the recording.
  func poll(_ call: ScriptStep, _ task: RawJSON) -> RequestTemplate {
    var step = ScriptStep(n: call.n, kind: .request, method: TaskChains.get)
    step.isModern = call.isModern
    step.headers = call.headers.filter { !$0.name.lowercased().hasPrefix("mcp-param-") }
    var members = [JSONValue.Member("taskId", task.value)]
    if let meta = call.params?.member("_meta")?.value { members.append(.init("_meta", meta)) }
    step.params = RawJSON(.object(members))
    return RequestBook.template(step, path, target)
  }

  static func template(
    _ step: ScriptStep, _ path: String, _ target: ReplayTarget
  ) -> RequestTemplate {
    let verb =
      switch step.kind {
      case .request, .notification, .closeStream: "POST"
      case .openStream: "GET"
      case .delete: "DELETE"
      }
    let places = places(step, target.feed)
    let mirrored = MirroredFields(step, places)
    var fields = [HeaderField("Host", target.authority)]
    var recorded = step.headers
    if recorded.first("accept") == nil {
      let accept =
        step.kind == .openStream ? "text/event-stream" : "application/json, text/event-stream"
      recorded.append(HeaderField("Accept", accept))
    }
    fields += mirrored.fields(recorded)
    if verb == "POST" { fields.append(HeaderField("Content-Type", "application/json")) }
    if step.isModern { fields += mirrored.standard() }
    for field in target.headers {
      fields.removeAll { $0.named(field.name) }
      fields.append(field)
    }
    var head = ByteBuffer()
    var live = target.feed.map { FedPlaces($0).fields(instead: &fields) } ?? []
    for field in fields {
      if !target.headers.contains(where: { $0.named(field.name) }),
        let value = mirrored.live(field)
      {
        live.append(.init(name: field.name, value: value))
      } else if field.named("traceparent"), let parent = TraceParent(field.value, isQuoted: false) {
        live.append(.init(name: field.name, value: [.traceParent(parent)]))
      } else {
        head.writeString("\(field.name): \(field.value)\r\n")
      }
    }
    return RequestTemplate(
      verb: verb, path: path, head: head, liveFields: live,
      isInSession: !step.isModern && step.method != "initialize",
      hasBody: verb == "POST", body: verb == "POST" ? body(step, places) : [])
  }

  /// What a clone fills in itself.
  private static func places(_ step: ScriptStep, _ feed: Feed?) -> [ParamsCut.Place] {
    guard step.kind == .request else { return [] }
    var places: [ParamsCut.Place] = []
    if step.cursorFrom != nil { places.append(.init(steps: [.child("cursor")], piece: .cursor)) }
    if let token = step.params?.member("_meta")?.member("progressToken") {
      places.append(
        .init(
          steps: [.child("_meta"), .child("progressToken")],
          piece: .progressToken(isString: token.kind == .string)))
    }
    if let recorded = step.params?.member("_meta")?.member("traceparent")?.string,
      let parent = TraceParent(recorded, isQuoted: true)
    {
      places.append(
        .init(steps: [.child("_meta"), .child("traceparent")], piece: .traceParent(parent)))
    }
    places += step.bindings.map { place($0) }
    return places + (feed.map { FedPlaces($0).places(in: step) } ?? [])
  }

  private static func body(
    _ step: ScriptStep, _ places: [ParamsCut.Place]
  ) -> [RequestTemplate.Piece] {
    var pieces: [RequestTemplate.Piece] = [.text(ByteBuffer(string: "{\"jsonrpc\":\"2.0\""))]
    func text(_ text: String) { pieces.append(.text(ByteBuffer(string: text))) }
    if step.kind == .request {
      text(",\"id\":")
      pieces.append(.id)
    }
    text(",\"method\":" + RawJSON(.string(step.method)).text)
    if let params = step.params {
      text(",\"params\":")
      pieces += ParamsCut.pieces(params, places)
    }
    text("}")
    return joined(pieces)
  }

  /// Joins neighbouring text.
  private static func joined(_ pieces: [RequestTemplate.Piece]) -> [RequestTemplate.Piece] {
    var joined: [RequestTemplate.Piece] = []
    for piece in pieces {
      if case .text(let more) = piece, case .text(var text)? = joined.last {
        text.writeImmutableBuffer(more)
        joined[joined.count - 1] = .text(text)
      } else {
        joined.append(piece)
      }
    }
    return joined
  }
}
