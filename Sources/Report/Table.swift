/// Rows of text under aligned columns.
public struct Table: Sendable {
  /// One column.
  public struct Column: Sendable {
    /// What stands above it.
    public var title: String
    /// True for numbers.
    public var alignsRight: Bool
    /// Its cells are cut to this many characters.
    public var limit: Int

    /// A column of text, aligned left.
    public static func text(_ title: String, limit: Int = 60) -> Column {
      Column(title: title, alignsRight: false, limit: limit)
    }

    /// A column of numbers, aligned right.
    public static func number(_ title: String) -> Column {
      Column(title: title, alignsRight: true, limit: 24)
    }
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  /// Starts a table.
  public init(_ columns: [Column]) { self.columns = columns }

  /// True without rows.
  public var isEmpty: Bool { rows.isEmpty }

  /// Appends a row, one cell for each column. Control characters are made visible.
  public mutating func add(_ cells: [String]) {
    rows.append(
      zip(columns, cells).map { column, cell in
        Format.fitted(Format.printable(cell), column.limit)
      })
  }

  /// The table as lines, each with a line end and `indent` spaces before it.
  public func text(indent: Int = 0) -> String {
    let titles = columns.map(\.title)
    let widths = columns.indices.map { i in
      max(titles[i].count, rows.map { $0[i].count }.max() ?? 0)
    }
    var out = ""
    for row in [titles] + rows {
      var line = String(repeating: " ", count: indent)
      for (i, cell) in row.enumerated() {
        let space = String(repeating: " ", count: widths[i] - cell.count)
        line += (i > 0 ? "  " : "") + (columns[i].alignsRight ? space + cell : cell + space)
      }
      while line.hasSuffix(" ") { line.removeLast() }
      out += line + "\n"
    }
    return out
  }
}
