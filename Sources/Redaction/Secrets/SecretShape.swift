/// The shape of a kind of token: how it begins, what it is made of, how long that is.
struct SecretShape: Sendable {
  /// What must hold besides.
  enum Check: Sendable {
    case nothing
    /// At least one digit: ordinary words joined by dashes have none.
    case digit
    /// A dot inside, with so many bytes at least on both sides.
    case dot(Int)
  }

  let prefix: [UInt8]
  /// Bytes behind the prefix.
  let set: UInt16
  let least: Int
  let most: Int
  let check: Check
  /// True for addresses, of which only what is behind the prefix is secret.
  let keepsPrefix: Bool

  private init(
    _ prefix: String, _ set: ByteClass, _ least: Int, _ most: Int = 512, _ check: Check = .nothing,
    keepsPrefix: Bool = false
  ) {
    self.prefix = Array(prefix.utf8)
    self.set = set.rawValue
    self.least = least
    self.most = most
    self.check = check
    self.keepsPrefix = keepsPrefix
  }

  private static func each(
    _ prefixes: [String], _ set: ByteClass, _ least: Int, _ most: Int = 512,
    _ check: Check = .nothing
  ) -> [SecretShape] {
    prefixes.map { SecretShape($0, set, least, most, check) }
  }

  /// All of them, by the services that give them out.
  static let all: [SecretShape] =
    cloud + code + payment + models + messaging + operations + addresses

  private static let cloud: [SecretShape] =
    each(["AKIA", "ASIA", "ABIA", "ACCA"], [.upper, .digit], 16, 16) + [
      SecretShape("ABSK", .opaque, 40, 512),
      SecretShape("AIza", .urlSafe, 35, 35),
      SecretShape("ya29.", [.urlSafe, .dot], 20, 1024),
      SecretShape("GOCSPX-", .urlSafe, 20, 64),
      SecretShape("1//0", .urlSafe, 40, 256),
      SecretShape("v1.0-", [.hex, .dash], 100, 180),
      SecretShape("LTAI", .alnum, 16, 20, .digit),
    ] + each(["dop_v1_", "doo_v1_", "dor_v1_"], .hex, 64, 64)
    + [SecretShape("HRKU-", .urlSafe, 32, 80), SecretShape("fm2_", [.opaque, .equals], 40, 2048)]

  private static let code: [SecretShape] =
    each(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], .alnum, 36, 255)
    + [SecretShape("github_pat_", .word, 22, 255)]
    + each(
      [
        "glpat-", "gldt-", "glptt-", "glrt-", "glft-", "glsoat-", "glcbt-", "glimt-", "glagent-",
        "gloas-", "glffct-",
      ], [.urlSafe, .dot], 20, 300)
    + [
      SecretShape("npm_", .alnum, 36, 36), SecretShape("pypi-", .urlSafe, 50, 512),
      SecretShape("rubygems_", .hex, 48, 48), SecretShape("dckr_pat_", .urlSafe, 24, 64),
      SecretShape("dckr_oat_", .urlSafe, 24, 64),
      SecretShape("ATATT3", [.urlSafe, .equals], 60, 300),
      SecretShape("ATCTT3", [.urlSafe, .equals], 60, 300),
      SecretShape("ATBB", .alnum, 28, 64, .digit),
      SecretShape("lin_api_", .alnum, 32, 64), SecretShape("lin_oauth_", .alnum, 32, 80),
      SecretShape("figd_", .urlSafe, 30, 64), SecretShape("PMAK-", [.hex, .dash], 50, 80),
      SecretShape("CFPAT-", .urlSafe, 40, 64), SecretShape("secret_", .alnum, 40, 64, .digit),
      SecretShape("ntn_", .alnum, 40, 64), SecretShape("pat", [.alnum, .dot], 70, 90, .dot(14)),
    ]

  private static let payment: [SecretShape] =
    each(["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_prod_"], .alnum, 16, 255)
    + [
      SecretShape("whsec_", [.alnum, .base64, .equals], 24, 80),
      SecretShape("sq0atp-", .urlSafe, 22, 22), SecretShape("sq0csp-", .urlSafe, 40, 48),
      SecretShape("EAAA", .urlSafe, 56, 70, .digit), SecretShape("EAAC", .alnum, 60, 300, .digit),
    ] + each(["shpat_", "shpca_", "shppa_", "shpss_"], .alnum, 32, 40)

  private static let models: [SecretShape] =
    [SecretShape("sk-", .urlSafe, 20, 255, .digit), SecretShape("sess-", .alnum, 40, 40, .digit)]
    + each(["hf_", "api_org_"], .alnum, 34, 40)
    + each(["gsk_", "xai-", "pplx-", "r8_", "tvly-", "fw_", "csk-"], .urlSafe, 24, 128, .digit)

  private static let messaging: [SecretShape] =
    each(
      ["xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-", "xoxo-", "xoxe-", "xoxe.xoxp-", "xoxc-"],
      .urlSafe, 10, 512, .digit)
    + [
      SecretShape("xapp-", .urlSafe, 20, 255, .digit),
      SecretShape("SG.", [.urlSafe, .dot], 33, 80, .dot(16)),
      SecretShape("key-", .alnum, 32, 32, .digit), SecretShape("pubkey-", .alnum, 32, 32, .digit),
      SecretShape("SK", .hex, 32, 32), SecretShape("AC", .hex, 32, 32),
      SecretShape("xkeysib-", [.hex, .dash, .alnum], 64, 100),
    ]

  private static let operations: [SecretShape] =
    each(["hvs.", "hvb.", "hvr."], .urlSafe, 24, 512)
    + each(["dapi"], [.hex, .dash], 32, 34)
    + each(
      ["glsa_", "glc_", "phx_", "sbp_", "sb_secret_", "nfp_"], [.word, .base64, .equals, .dash], 32,
      300, .digit)
    + each(["sntrys_", "sntryu_"], [.opaque, .equals], 60, 400)
    + each(["pscale_tkn_", "pscale_pw_", "pscale_oauth_"], [.urlSafe, .dot], 32, 64)
    + each(
      ["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim."], [.alnum, .dot, .underscore], 40, 90)
    + [
      SecretShape("s.", .alnum, 24, 24, .digit), SecretShape("pul-", .hex, 40, 40),
      SecretShape("NRAK-", .alnum, 27, 27), SecretShape("AGE-SECRET-KEY-1", .alnum, 58, 58),
      SecretShape("tfp_", [.urlSafe, .dot], 40, 80),
      SecretShape("ops_", [.opaque, .equals], 200, 2048),
      SecretShape("vault:v1:", [.opaque, .equals], 20, 1024),
      SecretShape("sl.", .urlSafe, 60, 2048),
    ]

  private static let addresses: [SecretShape] = [
    "hooks.slack.com/services/", "hooks.slack.com/workflows/", "hooks.slack.com/triggers/",
    "discord.com/api/webhooks/", "discordapp.com/api/webhooks/", "hooks.zapier.com/hooks/catch/",
    "mcp.zapier.com/api/mcp/s/",
  ].map { SecretShape($0, .opaque, 16, 512, keepsPrefix: true) }

  /// The end of the token whose prefix stands at `start`; `nil` when it is none.
  func end(_ text: Span<UInt8>, _ start: Int) -> Int? {
    let body = start + prefix.count
    guard body <= text.count else { return nil }
    for i in prefix.indices where text[start + i] != prefix[i] { return nil }
    let table = ByteClass.table
    var end = body
    let last = min(text.count, body + most + 1)
    var digits = 0
    var dot: Int?
    while end < last, table[Int(text[end])] & set != 0 {
      if text[end] &- 0x30 < 10 { digits += 1 }
      if text[end] == 0x2e, dot == nil { dot = end }
      end += 1
    }
    while end > body, text[end - 1] == 0x2e { end -= 1 }
    guard end - body >= least, end - body <= most else { return nil }
    switch check {
    case .nothing: return end
    case .digit: return digits > 0 ? end : nil
    case .dot(let side):
      guard let dot, dot - body >= side, end - dot > side else { return nil }
      return end
    }
  }
}
