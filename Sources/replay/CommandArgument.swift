import ArgumentParser

/// A command with its arguments, split into words as shells do: white space, `'…'`, `"…"` and `\\`.
struct CommandArgument: ExpressibleByArgument, Sendable {
  let words: [String]

  init?(argument: String) {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in argument {
      if isEscaped {
        // Inside double quotes a backslash is one, but before what it protects there.
        if quote != nil, character != "\"", character != "\\" { word = (word ?? "") + "\\" }
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character.isWhitespace {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !isEscaped else { return nil }
    if let word { words.append(word) }
    guard let program = words.first, !program.isEmpty else { return nil }
    self.words = words
  }
}
