import ArgumentParser
import Basics
import Glibc
import ReplayEngine
import ReplayPlan
import Report

/// Who the agents are.
struct IdentityOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Header for every request, instead of a recorded one of that name; repeatable.",
      valueName: "name: value"))
  var header: [HeaderArgument] = []

  @Option(
    help: ArgumentHelp(
      """
      Bearer token for every request: the first line of a file, which is read again when it changes (looked at every second) and \
      when the server answers 401; the refused request is then repeated once.
      """, valueName: "file"), completion: .file())
  var bearerFile: String?

  @Option(
    help: ArgumentHelp(
      """
      Bearer token for every request: the first line that a command prints. It is run before the run, on a 401 (the refused request \
      is then repeated once), and before a token that is a JWT ends. Words are split as shells do, quotes included.
      """, valueName: "command"))
  var bearerCommand: CommandArgument?

  @Option(
    help: ArgumentHelp(
      """
      What agents have of their own: a CSV file with a heading, or JSON objects a line each (.jsonl, .ndjson), a row for each agent in \
      order of their start, again from the first when there are no more. Columns: header.NAME (that header of each request), \
      /arguments/POINTER (in tools/call, where the recorded call has it and no answer of the run gives it), clientInfo.name, \
      clientInfo.version. An empty CSV cell leaves the request as it is.
      """, valueName: "file"), completion: .file())
  var feed: String?

  func validate() throws {
    guard bearerFile == nil || bearerCommand == nil else {
      throw ValidationError(
        "--bearer-file and --bearer-command both say the token; give one of them")
    }
    let authorization = header.contains { $0.field.named("authorization") }
    guard !authorization || (bearerFile == nil && bearerCommand == nil) else {
      throw ValidationError(
        "--header Authorization and \(bearerFile == nil ? "--bearer-command" : "--bearer-file") both say who the agents are; give one of them"
      )
    }
  }

  /// The first option that stdio servers have no use for.
  var headerOption: String? {
    if !header.isEmpty { return "--header" }
    if bearerFile != nil { return "--bearer-file" }
    return bearerCommand == nil ? nil : "--bearer-command"
  }

  /// Reads what agents have of their own.
  ///
  /// - Throws: `ExitCode` 64 or 65 after saying why.
  func readFeed(isStdio: Bool) throws -> Feed? {
    guard let file = feed else { return nil }
    let feed: Feed
    let text: String
    do throws(FileText.Failure) {
      text = try FileText.read(file)
    } catch {
      throw failure(Exit.unreadableInput, "cannot read --feed \(file): \(words(error.errno))")
    }
    do throws(Feed.FormatError) {
      let isLines = [".jsonl", ".ndjson"].contains { file.lowercased().hasSuffix($0) }
      feed = try isLines ? Feed(jsonLines: text) : Feed(csv: text)
    } catch {
      throw failure(Exit.unreadableInput, "--feed \(file): \(error)")
    }
    let isBearer = bearerFile != nil || bearerCommand != nil
    let taken = header.map { $0.field.name.lowercased() } + (isBearer ? ["authorization"] : [])
    for name in feed.fieldNames {
      guard !isStdio else {
        throw failure(
          Exit.usage,
          "--feed \(file): header.\(name) is of no use with --stdio, which has no headers")
      }
      guard !taken.contains(name.lowercased()) else {
        throw failure(
          Exit.usage, "--feed \(file): header.\(name) is given by another option too; leave one out"
        )
      }
    }
    return feed
  }

  /// Gets the first token.
  ///
  /// - Throws: `ExitCode` 65 or 69 after saying why there is none.
  func keeper() async throws -> BearerKeeper? {
    guard
      let source = bearerFile.map({ BearerSource.file($0) })
        ?? bearerCommand.map({ .command($0.words) })
    else { return nil }
    do throws(BearerSource.Failure) {
      return try await BearerKeeper(source)
    } catch {
      throw failure(error.isInput ? Exit.unreadableInput : Exit.unreachable, "\(error)")
    }
  }

  /// Says so when a file's token ends before a run of that many nanoseconds does.
  func warn(_ keeper: BearerKeeper?, length: Int64) {
    guard let bearerFile, let expiry = keeper?.token.expiry else { return }
    let left = (min(max(expiry, 0), 1 << 33) - Int64(time(nil))) * 1_000_000_000
    guard left < length else { return }
    let ends = left <= 0 ? "has ended" : "ends in \(Format.duration(nanoseconds: left))"
    say(
      "replay: the token \(ends), the run in \(Format.duration(nanoseconds: length)); put a fresh one into \(bearerFile) before, or use --bearer-command"
    )
  }

  /// The options as the summary repeats them: without values, which may be credentials.
  var figures: [(String, JSONValue)] {
    var figures: [(String, JSONValue)] = []
    if !header.isEmpty {
      figures.append(("header", .array(header.map { .string($0.field.name) })))
    }
    if let bearerFile { figures.append(("bearer_file", .string(bearerFile))) }
    if let bearerCommand {
      figures.append(("bearer_command", .string(bearerCommand.words.first ?? "")))
    }
    if let feed { figures.append(("feed", .string(feed))) }
    return figures
  }
}
