import Basics
import NIOCore
import NIOHPACK

/// Finds out how many entries the blocks that a gap swallowed put on top of the compression table.
///
/// Theory: a client says the same names in the same order again and again. Read with the old table below the wrong number of
/// unknown entries, a block's names are in another order, or not those of one message; read with the right one, they are a
/// list that was seen before. So all numbers up to a limit are tried at once, on each block, until one is left. What all that
/// are left agree in is taken before.
/// Names alone decide: one field says little, two at least must come out.
struct HPACKGuesses: Sendable {
  /// Most entries that lost blocks may have added.
  private static let shiftLimit = 32
  /// How often a direction is guessed at, for that costs time.
  private static let triesLimit = 256
  /// How many lists of names are remembered.
  private static let shapesLimit = 8
  private static let leastFields = 2

  private var tables: [HPACKDecoder] = []
  private var beforeLoss: HPACKDecoder?
  private var shapes: [[String]] = []
  private var tries = 0

  /// True while it is not decided.
  var arePending: Bool { beforeLoss != nil || !tables.isEmpty }

  /// Remembers the names of a message.
  mutating func remember(_ fields: [HeaderField]) {
    func isSame(_ shape: [String]) -> Bool {
      shape.count == fields.count && zip(shape, fields).allSatisfy { $0 == $1.name }
    }
    if let at = shapes.firstIndex(where: isSame) {
      if at > 0 { shapes.swapAt(at, 0) }
      return
    }
    if shapes.count == HPACKGuesses.shapesLimit { shapes.removeLast() }
    shapes.insert(fields.map(\.name), at: 0)
  }

  /// Blocks were lost; `table` is what was known before. Of several losses in a row the first counts.
  mutating func lost(_ table: HPACKDecoder) {
    tables = []
    guard beforeLoss == nil, !shapes.isEmpty, tries < HPACKGuesses.triesLimit else { return }
    tries += 1
    beforeLoss = table
  }

  /// Stops guessing until the next loss.
  mutating func giveUp() {
    tables = []
    beforeLoss = nil
  }

  /// Returns what a block says with what can be told of the old table, and the table itself once it is found.
  mutating func improve(
    _ certain: HPACKState.Decoded, _ block: ByteBuffer
  ) -> (decoded: HPACKState.Decoded, table: HPACKDecoder?) {
    if let table = beforeLoss {
      tables = (0...HPACKGuesses.shiftLimit).map { HPACKState.shifted(table, by: $0) }
      beforeLoss = nil
    }
    var read: [(table: HPACKDecoder, decoded: HPACKState.Decoded)] = []
    for table in tables {
      var table = table
      if let decoded = HPACKState.decode(block, &table) { read.append((table, decoded)) }
    }
    let fitting = read.filter { isMessage($0.decoded.fields) }
    let least = fitting.map(\.decoded.unknown).min() ?? .max
    guard certain.unknown - least >= HPACKGuesses.leastFields else {
      // Nothing in it tells.
      tables = read.map(\.table)
      return (certain, nil)
    }
    let best = fitting.filter { $0.decoded.unknown == least }
    if best.count == 1 {
      tables = []
      return (best[0].decoded, best[0].table)
    }
    tables = best.map(\.table)
    return (agreement(best.map(\.decoded.fields), certain.fields), nil)
  }

  /// Whether names that are known are where a message seen before has them.
  private func isMessage(_ fields: [HeaderField]) -> Bool {
    shapes.contains { shape in
      shape.count == fields.count
        && zip(shape, fields).allSatisfy { $0 == $1.name || isUnknown($1) }
    }
  }

  private func isUnknown(_ field: HeaderField) -> Bool {
    field.name.hasPrefix(HPACKState.placeholder)
  }

  private func agreement(
    _ lists: [[HeaderField]], _ certain: [HeaderField]
  ) -> HPACKState.Decoded {
    var fields = certain
    for i in fields.indices where isUnknown(fields[i]) {
      if lists.allSatisfy({ $0[i] == lists[0][i] }) { fields[i] = lists[0][i] }
    }
    return (fields, fields.count(where: isUnknown))
  }
}
