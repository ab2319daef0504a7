import Basics
import MCP
import NIOCore
import Trace

/// Makes one session's script of its lines.
struct ScriptAssembly {
  private let name: String
  let lines: ScriptBuilder.Lines
  let requests: [Int: RequestLine]
  let answersByRequest: [Int: ScriptBuilder.Answer]
  let tasks: TaskChains
  /// Request that a round or repetition belongs to, by `n`.
  private(set) var roots: [Int: Int] = [:]
  private(set) var members: [Int: [RequestLine]] = [:]
  private var cancelNotices: Set<Int> = []
  private var cancellations: [Int: ScriptStep.Cancellation] = [:]

  private enum Item {
    case request(RequestLine)
    case notification(NotificationLine)
    case http(HTTPLine)

    var place: (Int64, Int) {
      switch self {
      case .request(let line): (line.t, line.n)
      case .notification(let line): (line.t, line.n)
      case .http(let line): (line.t, line.n ?? 0)
      }
    }

    var conn: Int? {
      switch self {
      case .request(let line): line.conn
      case .notification(let line): line.conn
      case .http(let line): line.conn
      }
    }
  }

  init(name: String, lines: ScriptBuilder.Lines) {
    self.name = name
    self.lines = lines
    requests = Dictionary(lines.requests.map { ($0.n, $0) }, uniquingKeysWith: { a, _ in a })
    answersByRequest = Dictionary(
      lines.answers.map { ($0.re, $0) }, uniquingKeysWith: { a, _ in a })
    tasks = TaskChains(lines.requests, answersByRequest)
    findRoots()
    findCancellations()
  }

  /// Returns the script and its first byte's time; `nil` when the client did nothing.
  func script() -> (script: SessionScript, start: Int64)? {
    let items = items()
    guard let first = items.first else { return nil }
    let start = first.place.0
    let session = lines.session
    let path = session?.path ?? "/mcp"
    var script = SessionScript(
      name: name, endpoint: (session?.authority ?? "") + path, path: path)
    script.revision = session?.revision
    script.key = lines.end?.key ?? session?.key
    script.transport = session?.transport ?? .streamableHTTP
    script.isCut = session?.start == .cut || session?.continues == true
    script.isUnfinished = lines.end?.how == .captureEnd

    var stepOfAnswer: [Int: Int] = [:]
    var doneOfStep: [Int64] = []
    for item in items {
      var (step, line) = self.step(item)
      step.connection = item.conn
      step.offset = line.t - start
      var deps: [Int] = []
      for n in line.after {
        if let at = stepOfAnswer[n], !deps.contains(at) { deps.append(at) }
      }
      step.after = deps
      if let latest = deps.map({ doneOfStep[$0] }).max() { step.think = max(0, line.t - latest) }
      let index = script.steps.count
      var done = line.done
      for member in members[step.n] ?? [] {
        if let answer = answersByRequest[member.n] {
          stepOfAnswer[answer.n] = index
          done = max(done, answer.done)
        }
      }
      doneOfStep.append(done)
      script.length = max(script.length, done - start)
      script.steps.append(step)
    }
    script.client = session?.client ?? clientInfo(script.steps)
    linkTasks(&script)
    link(&script, doneOfStep, start: start, stepOfAnswer: stepOfAnswer)
    collectServerAnswers(&script)
    numberConnections(&script)
    if needsInitialize(script) { prependInitialize(&script) }
    if script.transport == .httpSSE { waitForStream(&script) }
    return (script, start)
  }

  private func items() -> [Item] {
    var items: [Item] = []
    for line in lines.requests where line.dir == .c2s && roots[line.n] == nil {
      items.append(.request(line))
    }
    for line in lines.notifications where !cancelNotices.contains(line.n) {
      if line.method != "notifications/cancelled" { items.append(.notification(line)) }
    }
    for line in lines.http {
      if line.role == .delete || line.role == .streamOpen && line.lastEventID == nil {
        items.append(.http(line))
      }
    }
    return items.sorted { $0.place < $1.place }
  }

  /// Connections are counted within the session, and each has a last step.
  private func numberConnections(_ script: inout SessionScript) {
    var places: [Int: Int] = [:]
    var last: [Int: Int] = [:]
    for i in script.steps.indices {
      guard let conn = script.steps[i].connection else { continue }
      let place = places[conn, default: places.count]
      places[conn] = place
      script.steps[i].connection = place
      last[place] = i
    }
    for i in last.values { script.steps[i].isLastOnConnection = true }
  }

  private struct LineTimes {
    var t: Int64
    var done: Int64
    var after: [Int]
  }

  private func step(_ item: Item) -> (ScriptStep, LineTimes) {
    switch item {
    case .request(let line): return requestStep(line)
    case .notification(let line):
      var step = ScriptStep(n: line.n, kind: .notification, method: line.method)
      step.params = line.params
      step.headers = HeaderChoice.repeatable(line.headers)
      step.isModern = Modern.isModern(params: line.params, headers: line.headers)
      step.service = max(0, (line.done ?? line.t) - line.t)
      return (step, LineTimes(t: line.t, done: line.done ?? line.t, after: line.after ?? []))
    case .http(let line):
      let isDelete = line.role == .delete
      var step = ScriptStep(
        n: line.n ?? 0, kind: isDelete ? .delete : .openStream, method: line.method)
      step.headers = HeaderChoice.repeatable(line.headers)
      // A stream is open as long as it likes: only its opening is a deed.
      let done = isDelete ? line.done ?? line.t : line.t
      step.service = max(0, done - line.t)
      return (step, LineTimes(t: line.t, done: done, after: line.after ?? []))
    }
  }

  private func requestStep(_ line: RequestLine) -> (ScriptStep, LineTimes) {
    var step = ScriptStep(n: line.n, kind: .request, method: line.method)
    step.tool = line.method == "tools/call" ? line.tool ?? line.params?.member("name")?.string : nil
    step.params = line.params
    step.id = line.id
    step.isCall = line.isLogicalCall
    step.turn = line.turn ?? 0
    step.afterBy = line.afterBy
    step.origin = line.origin
    step.headers = HeaderChoice.repeatable(line.headers)
    step.isModern = Modern.isModern(params: line.params, headers: line.headers)
    step.isLongLived = line.method == "subscriptions/listen"
    step.cancellation = cancellations[line.n]
    step.isPoll = line.method == TaskChains.get && tasks.calls[line.n] != nil
    joinMidCall(&step, line)
    // What a round answered is told there.
    let isRound = step.params?.member("inputResponses") == nil
    step.hidden = (lines.hidden[line.n] ?? []).filter {
      !isRound || $0.steps.first != .child("inputResponses")
    }
    var done = line.t
    var thinking: Int64 = 0
    var last = answersByRequest[line.n]
    done = max(done, last?.done ?? line.t)
    for member in (members[line.n] ?? []).dropFirst() {
      if member.retryOf == nil, !step.isPoll {
        let think = max(0, member.t - done)
        thinking += think
        step.rounds.append(
          .init(think: think, answers: roundAnswers(member, question: last?.inputRequests)))
      }
      last = answersByRequest[member.n] ?? last
      done = max(done, last?.done ?? member.t)
    }
    step.outcome = last?.outcome == .unanswered ? nil : last?.outcome
    let taken = max(0, done - line.t - thinking)
    if step.isLongLived { step.listening = taken } else { step.service = taken }
    return (step, LineTimes(t: line.t, done: done, after: line.after ?? []))
  }

  /// A recording that begins between the rounds of a call: the replay starts the call anew, and its state is the server's affair.
  private func joinMidCall(_ step: inout ScriptStep, _ line: RequestLine) {
    let ofRound = ["inputResponses", "requestState"]
    guard step.isModern, !line.method.hasPrefix("tasks/"),
      let members = line.params?.value.members,
      members.contains(where: { ofRound.contains($0.key) })
    else { return }
    step.params = RawJSON(.object(members.filter { !ofRound.contains($0.key) }))
    step.rounds.append(.init(think: 0, answers: roundAnswers(line, question: nil)))
  }

  private func roundAnswers(_ line: RequestLine, question: RawJSON?) -> [ScriptStep.Round.Answer] {
    var answers: [ScriptStep.Round.Answer] = []
    line.params?.member("inputResponses")?.forEachMember { key, response in
      let asked = question?.member(key)
      let method = asked?.member("method")?.string ?? ""
      let question = SessionScript.question(asked?.member("params"))
      let place: [ValuePath.Step] = [.child("inputResponses"), .child(key)]
      let hidden = (lines.hidden[line.n] ?? []).filter { $0.steps.starts(with: place) }
      answers.append(
        .init(
          key: key, method: method, question: question, response: response,
          hidden: hidden.map { ValuePath(steps: Array($0.steps.dropFirst(place.count))) }))
    }
    return answers
  }

  private mutating func findRoots() {
    for line in lines.requests.sorted(by: { ($0.t, $0.n) < ($1.t, $1.n) }) where line.dir == .c2s {
      var root = line.n
      let earlier =
        line.continues ?? line.retryOf ?? question(answeredBy: line) ?? tasks.loops[line.n]
      if let earlier, requests[earlier] != nil, earlier != line.n {
        root = roots[earlier] ?? earlier
        roots[line.n] = root
      }
      members[root, default: []].append(line)
    }
  }

  /// A question without `requestState` is known by its keys and its call; of several the latest that nobody came back to.
  private func question(answeredBy line: RequestLine) -> Int? {
    guard let responses = line.params?.member("inputResponses"),
      line.params?.member("requestState") == nil
    else { return nil }
    let resumed = Set(members.values.flatMap { zip($0, $0.dropFirst()).map(\.0.n) })
    let keys = Set(responses.value.members?.map(\.key) ?? [])
    let call = ScriptAssembly.call(line)
    return lines.requests.last { earlier in
      guard earlier.t < line.t, earlier.method == line.method, !resumed.contains(earlier.n),
        let asked = answersByRequest[earlier.n]?.inputRequests?.value.members
      else { return false }
      return Set(asked.map(\.key)) == keys && ScriptAssembly.call(earlier) == call
    }?.n
  }

  /// What all rounds of a call say.
  private static func call(_ line: RequestLine) -> [JSONValue.Member] {
    let other = ["inputResponses", "requestState", "_meta"]
    return (line.params?.value.members ?? []).filter { !other.contains($0.key) }
  }

  /// Ties each `notifications/cancelled`, and each closed stream, to the request it gave up.
  private mutating func findCancellations() {
    for line in lines.notifications where line.method == "notifications/cancelled" {
      let id = line.params?.member("requestId")
      let target =
        line.re ?? lines.requests.last { $0.dir == .c2s && $0.id == id && $0.t <= line.t }?.n
      guard let target, let request = requests[target] else { continue }
      cancelNotices.insert(line.n)
      cancellations[target] = .init(
        after: max(0, line.t - request.t), notification: line.params ?? RawJSON(.object([])))
    }
    for answer in lines.answers where answer.outcome == .cancelled && answer.by == .client {
      guard let request = requests[answer.re], cancellations[answer.re] == nil,
        request.method != "subscriptions/listen"
      else { continue }
      cancellations[answer.re] = .init(after: max(0, answer.done - request.t), notification: nil)
    }
  }

  private func collectServerAnswers(_ script: inout SessionScript) {
    for line in lines.requests.sorted(by: { $0.t < $1.t }) where line.dir == .s2c {
      guard let said = answersByRequest[line.n], var answer = said.serverAnswer else { continue }
      answer.question = SessionScript.question(line.params)
      answer.think = max(0, said.t - (line.sent ?? line.t))
      script.serverAnswers[line.method, default: []].append(answer)
    }
  }

  private func clientInfo(_ steps: [ScriptStep]) -> Implementation? {
    for step in steps {
      let info =
        step.params?.member("clientInfo")
        ?? step.params?.member("_meta")?.member("io.modelcontextprotocol/clientInfo")
      if let info, let name = info.member("name")?.string {
        return Implementation(name: name, version: info.member("version")?.string ?? "")
      }
    }
    return nil
  }

  private func needsInitialize(_ script: SessionScript) -> Bool {
    [.mcpSessionID, .sseEndpoint].contains(script.key?.by)
      && !script.steps.contains { $0.method == "initialize" }
      && script.steps.contains { !$0.isModern }
  }

  /// A session joined in the middle needs a session of its own: the handshake runs before its first step.
  private func prependInitialize(_ script: inout SessionScript) {
    let handshake = Handshake(
      revision: script.revision ?? Modern.lastWithSessions,
      client: script.client.map(Handshake.describe))
    // Over HTTP+SSE its stream comes first.
    let isBehindStream = script.transport == .httpSSE && script.steps.first?.kind == .openStream
    let place = isBehindStream ? 1 : 0
    var steps = handshake.steps
    steps[1].after = [place]
    script.insert(steps, at: place)
    for i in script.steps.indices.dropFirst(place + 2) {
      script.steps[i].gates += [place, place + 1]
    }
  }
  /// Over HTTP+SSE nothing is said before the session's stream is there.
  private func waitForStream(_ script: inout SessionScript) {
    if script.steps.first?.kind != .openStream {
      script.insert([ScriptStep(n: 0, kind: .openStream, method: "GET")], at: 0)
    }
    for i in script.steps.indices.dropFirst() {
      script.steps[i].gates.append(0)
      // The answer comes elsewhere: what its client accepted here says nothing.
      script.steps[i].headers.removeAll { $0.named("accept") }
    }
  }
}
