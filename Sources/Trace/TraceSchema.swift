/// The JSON Schema (draft 2020-12) of a trace's lines, as it ships in `mcptrace.schema.json`.
public enum TraceSchema {
  /// The schema's text. O(size of the schema) at every call.
  public static var text: String {
    String(decoding: PackageResources.mcptrace_schema_json, as: UTF8.self)
  }
}
