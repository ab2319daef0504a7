import Basics
import Redaction
import Testing

/// Finds what the rule `secrets` replaces in a text.
private func shown(_ text: String, isCut: Bool = false) -> String {
  PayloadRedactor(PayloadRules(key: key, rules: [.secrets])).text(text, isCut: isCut)
}

private let key = RedactionKey(bytes: Array(repeating: 7, count: 32))

/// So many bytes of an alphabet, without a repetition; put together here so that no file holds what looks like a live token.
private func body(_ count: Int, _ alphabet: String = alnum) -> String {
  let bytes = Array(alphabet.utf8)
  return String(
    decoding: (0..<count).map { bytes[($0 * 7 + $0 / bytes.count * 3 + 5) % bytes.count] },
    as: UTF8.self)
}

private let alnum = "kX3vB9qLm2ZtR7wYc5NpD8sHf1JgK4TaV6eUyQ0oPrCbEiGhMdFjSlWnAzIuOx"
private let hexDigits = "7d1f0b9e3c5a8264"
private let capitals = "K7QW2MZX5RTB3NHV4YJD6PLC"

/// A token of each shape, alone.
private let tokens: [(String, String)] = [
  ("AWS access key", "AKIA" + body(16, capitals)),
  ("AWS temporary key", "ASIA" + body(16, capitals)),
  ("AWS secret key", "wJalrXUtnFEMI/K7MDENG/bPx" + "RfiCYzEXAMPLEKEY".prefix(15)),
  ("GitHub personal", "ghp_" + body(36)), ("GitHub OAuth", "gho_" + body(36)),
  ("GitHub app", "ghs_" + body(36)), ("GitHub user", "ghu_" + body(36)),
  ("GitHub refresh", "ghr_" + body(76)),
  ("GitHub fine-grained", "github_pat_" + body(82, alnum + "_")),
  ("GitLab", "glpat-" + body(20, alnum + "-_")),
  ("Slack bot", "xoxb-" + body(12, "1234567890") + "-" + body(24)),
  ("Slack user", "xoxp-" + body(40, alnum + "-")), ("Slack app", "xapp-1-" + body(60, alnum + "-")),
  ("Stripe", "sk_" + "live_" + body(24)), ("Stripe restricted", "rk_" + "live_" + body(24)),
  ("Stripe webhook", "whsec_" + body(32)), ("OpenAI", "sk-" + body(48)),
  ("OpenAI project", "sk-proj-" + body(80, alnum + "-_")),
  ("Anthropic", "sk-ant-api03-" + body(95, alnum + "-_")),
  ("Google", "AIza" + body(35, alnum + "-_")),
  ("Google access", "ya29." + body(80, alnum + "-_")),
  ("Google client", "GOCSPX-" + body(28, alnum + "-_")),
  ("Entra", "aB3" + "8Q~" + body(34, alnum + "-_.~")), ("JWT", jwt), ("npm", "npm_" + body(36)),
  ("PyPI", "pypi-AgEIcHlwaS5vcmc" + body(70, alnum + "-_")),
  ("DigitalOcean", "dop_v1_" + body(64, hexDigits)),
  ("SendGrid", "SG." + body(22, alnum) + "." + body(43, alnum + "-_")),
  ("Mailgun", "key-" + body(32, hexDigits)), ("Mailchimp", body(32, hexDigits) + "-us12"),
  ("Twilio key", "SK" + body(32, hexDigits)), ("Twilio account", "AC" + body(32, hexDigits)),
  ("Telegram", "1234567890:AA" + body(33, alnum + "-_")),
  ("Discord", "MTk4NjIyNDgzNDcxOTI1MjQ4." + "Cl2FMQ." + body(27, alnum)),
  ("Heroku", "HRKU-" + body(60, alnum + "-_")), ("Shopify", "shpat_" + body(32, hexDigits)),
  ("Square", "sq0atp-" + body(22, alnum + "-_")), ("Databricks", "dapi" + body(32, hexDigits)),
  ("Vault", "hvs." + body(90, alnum + "-_")), ("Notion", "secret_" + body(43)),
  ("Notion new", "ntn_" + body(46)), ("Linear", "lin_api_" + body(40)),
  ("Figma", "figd_" + body(40, alnum + "-_")), ("Hugging Face", "hf_" + body(34)),
  ("age", "AGE-SECRET-KEY-1" + body(58, capitals)),
  ("Terraform", body(14) + ".atlasv1." + body(64)),
  ("Airtable", "pat" + body(14) + "." + body(64, hexDigits)),
  ("Docker", "dckr_pat_" + body(27, alnum + "-_")),
  ("Cloudflare", body(40, alnum)),
  ("Postman", "PMAK-" + body(24, hexDigits) + "-" + body(34, hexDigits)),
  ("New Relic", "NRAK-" + body(27, capitals)), ("Groq", "gsk_" + body(52)),
  ("Grafana", "glsa_" + body(32) + "_" + body(8, hexDigits)),
]

private let jwt =
  "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + body(43, alnum + "-_")

/// What surrounds a secret, and the secret.
private let contexts: [(String, String, String)] = [
  ("password=", "hunter2", ""), ("password = '", "correct horse", "'"),
  ("PASSWORD: ", "Tr0ub4dor&3", ""),
  ("DB_PASSWORD=", "swordfish", "\nDB_USER=app"), (#"{"client_secret": ""#, "plainwords", #""}"#),
  (#"\"apiKey\": \""#, "abcdef", #"\""#), ("api_key=", "0a1b2c3d", "&page=2"),
  ("aws_secret_access_key = ", "abc/def+ghi", ""),
  (
    "AccountKey=", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==",
    ";EndpointSuffix=x"
  ),
  ("https://a.blob.core.windows.net/c?sv=2022&sig=", "a1B2c3D4%2Be5", "&se=2030"),
  ("postgres://app:", "p4ss,w0rd!", "@db.example.com:5432/x"),
  ("mysql://root:", "toor", "@localhost/x"),
  ("mongodb+srv://u:", "x%40y", "@c0.mongodb.net/?retryWrites=true"),
  ("redis://:", "s3cr", "@h:6379/0"),
  ("https://", "x-token-0123456789abcdef", "@github.com/a/b.git"),
  ("https://hooks.slack.com/services/", "T00000000/B00000000/" + body(24), ""),
  ("https://discord.com/api/webhooks/", "123456789012345678/" + body(68, alnum + "-_"), " it"),
  ("Authorization: Bearer ", "0123abcd", ""), ("with bearer ", "0123456789abcdef", " sent"),
  ("Authorization: Basic ", "dXNlcjpwYXNz", ""),
  ("header Basic ", "YWxpY2U6cGFzc3dvcmQ=", ", then"),
  ("curl --token ", "abc123", " https://x"), ("X-Api-Key: ", "k-12345", ""),
  ("-----BEGIN RSA PRIVATE KEY-----", "\nMIIEowIBAAKCAQEA7\n", "-----END RSA PRIVATE KEY-----"),
  (
    "-----BEGIN OPENSSH PRIVATE KEY-----", "\nb3BlbnNzaC1rZXktdjEAAAAA\n",
    "-----END OPENSSH PRIVATE KEY-----"
  ),
  ("-----BEGIN PRIVATE KEY-----", "\nMIIEvQIBADANBgkq", ""),
  ("<password>", "hunter2", "</password>"), ("?code=", "SplxlOBeZQQYbYS6WxSbIA1", "&x=1"),
  ("token => '", "0123456789abcdef", "'"), ("GITHUB_TOKEN=", "0f1e2d3c4b5a", ""),
]

/// What stays as it is.
private let ordinary = [
  "Build the tool and run it: 12 passed, 3 failed.", "467cf8b2-628c-481e-b71d-43f0f2fb066a",
  "467cf8b2628c481eb71d43f0f2fb066a", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "ABC-1234 and PROJ-99812",
  "alice@example.com", "https://example.com/a/b?page=2&sort=asc#top",
  "ssh://git@github.com/a/b.git",
  "sk-learn is a library; task-force-and-risk-assessment-board", "The password is required.",
  "password: required", "token: string", "a bearer token is wanted",
  "Basic authentication, Basic usage",
  "max_tokens=4096", "nextPageToken: abcdef0123456789", #"{"next_token":"eyJsYXN0IjoxfQ0123"}"#,
  "progressToken=1234567890123", "tokenizer=cl100k_base", "key=value", "primary_key=id",
  "Sources/Dissection/Conversation2/Bodies1", "2026-07-28T10:11:12.123456789Z", "v1.0-beta.3",
  "secret santa: bring gifts", "monkey: banana",
  "if (password == other) { return check(password) }",
  "password = readPassword()", "token=${TOKEN}", "api_key=<your key>", "secret: ****",
  "AKIA is a prefix",
  "the ghp_ prefix", "std::token::Token", "192.168.100.200:8080", "ICD-10: E11.9, Z79.4",
  "M2 Max, N95, O2", "ya29 and SG. are prefixes",
  "order 1234567890: shipped to Berlin today at noon",
  "1234567890:15 minutes", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
  "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "cached_key: tickets/2026/07",
  "customer 0013x00002ABCDEFGH", "arn:aws:iam::123456789012:role/Admin", "Zürich, 東京, 🙂🙂🙂",
]

struct `The rule secrets` {
  @Test(arguments: tokens.indices)
  func `finds a token wherever a word may stand`(index: Int) {
    let (name, token) = tokens[index]
    for (before, after) in [
      ("", ""), ("use ", " now"), ("\"", "\""), ("x=", "&y"), ("(", ")"), ("a, ", "."),
      ("\n", "\n"),
      ("é", "é"), ("https://h/", "/x"),
    ] {
      // A slash may be a part of these.
      let isOpen = ["Cloudflare", "AWS secret key", "Stripe webhook", "Grafana", "Terraform"]
        .contains(name)
      if isOpen, before == "https://h/" { continue }
      let text = before + token + after
      let hidden = shown(text)
      #expect(hidden.utf8.count == text.utf8.count)
      for part in token.split(separator: ".") where part.utf8.count > 8 {
        #expect(!hidden.contains(part), "\(name) in \(before)…\(after): \(hidden)")
      }
      #expect(hidden != text, "\(name) in \(before)…\(after)")
      #expect(hidden.hasPrefix(before) && hidden.hasSuffix(after), "\(name): \(hidden)")
    }
  }

  @Test(arguments: contexts.indices)
  func `finds what stands where secrets stand`(index: Int) {
    let (before, secret, after) = contexts[index]
    let hidden = shown(before + secret + after)
    #expect(!hidden.contains(secret), "\(before): \(hidden)")
    #expect(hidden.hasPrefix(before) && hidden.hasSuffix(after), "\(hidden)")
  }

  @Test(arguments: ordinary)
  func `leaves ordinary text alone`(text: String) { #expect(shown(text) == text) }

  @Test func `hides the last word of a text that is cut`() {
    let half = "see ghp_" + body(12)
    #expect(shown(half) == half)
    let hidden = shown(half, isCut: true)
    #expect(hidden.hasPrefix("see ") && hidden.utf8.count == half.utf8.count)
    #expect(!hidden.contains(body(12)))
    #expect(shown("whole words ", isCut: true) == "whole words ")
  }

  @Test func `takes time in proportion to hostile text`() {
    // A million bytes of beginnings: quadratic work would not end.
    for beginning in [
      "eyJ", "eyJ-", "sk-", "-----BEGIN RSA PRIVATE KEY-----", "password=", "://", "a:b@", "<a>",
      "--token ", "\"\\", "1234567890:",
    ] {
      let text = String(repeating: beginning, count: 1_000_000 / beginning.utf8.count)
      #expect(shown(text).utf8.count == text.utf8.count)
    }
  }
}
