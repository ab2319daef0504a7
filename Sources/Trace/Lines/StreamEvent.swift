import Basics

/// What an SSE event that carried a message said of itself.
public struct StreamEvent: Hashable, Sendable {
  /// Its `id` field.
  public var id: String?
  /// Its `event` field.
  public var name: String?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []
}

extension StreamEvent {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Describes an event.
  public init(id: String?, name: String?) {
    self.init(id: id, name: name, extra: [])
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    id = try fields.optionalString("id")
    name = try fields.optionalString("name")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("id", id)
    object.member("name", name)
    object.extra(extra)
  }
}
