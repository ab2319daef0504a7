/// How much of what generated traffic has; the defaults are those of a busy gateway with streamable HTTP.
public struct TrafficShape: Sendable {
  /// Largest IP packet: 65,535 as on loopback, 1,500 as on a network.
  public var mtu = 65_535
  /// Sessions at a time; one that ends is replaced.
  public var sessions = 200
  /// Calls of a session, on average.
  public var calls = 150
  /// Bytes of a call's JSON, on average.
  public var requestBytes = 400
  /// Bytes of an answer that is a stream, on average.
  public var streamBytes = 1500
  /// Share of the calls that a stream answers.
  public var streamShare = 0.6
  /// Share of the sessions that only listen.
  public var listenShare = 0.1
  /// Share of the answers that are large.
  public var largeShare = 0.06

  /// Starts with the defaults.
  public init() {}
}
