import GateCore

/// One setting: its names, its type, what it is for. The tables of them (``Configuration/keys``, ``Configuration/Site/keys``) are what
/// parsing, `check`, suggestions, `.env.example` and the reference are made of.
struct SettingKey<Root: Sendable>: Sendable {
    /// The key in TOML, dotted: `listen.http`.
    let path: String
    /// One or two sentences for the operator.
    let documentation: String
    /// Usual variables that mean the same, besides the key's own.
    let aliases: [String]
    /// The command line's option, such as `--listen`.
    let flag: String?
    let isSecret: Bool
    let kind: String
    /// What stands in for the default where it depends on other settings; in words, for the reference.
    let derivedDefault: String?
    /// A value for the reference where the default shows none.
    let example: String?
    /// How to make a value.
    let recipe: String?
    let assign: @Sendable (RawValue, inout Root) throws(InvalidValue) -> Void
    /// From one to the other.
    let copy: @Sendable (Root, inout Root) -> Void
    let isSame: @Sendable (Root, Root) -> Bool
    /// `nil`: not set.
    let literal: @Sendable (Root) -> Literal?

    init<Value: Equatable>(
        _ path: String, _ property: any WritableKeyPath<Root, Value> & Sendable, _ syntax: ValueSyntax<Value>,
        aliases: [String] = [],
        flag: String? = nil, isSecret: Bool = false, derivedDefault: String? = nil, example: String? = nil, recipe: String? = nil,
        _ documentation: String
    ) {
        self.path = path
        self.documentation = documentation
        self.aliases = aliases
        self.flag = flag
        self.isSecret = isSecret
        kind = syntax.kind
        self.derivedDefault = derivedDefault
        self.example = example
        self.recipe = recipe
        assign = { raw, root throws(InvalidValue) in root[keyPath: property] = try syntax.read(raw) }
        copy = { $1[keyPath: property] = $0[keyPath: property] }
        isSame = { $0[keyPath: property] == $1[keyPath: property] }
        literal = { syntax.write($0[keyPath: property]) }
    }

}

/// A setting that there is once, under a name of its own.
typealias ConfigurationKey = SettingKey<Configuration>

extension SettingKey where Root == Configuration {
    /// `GATEHOUSE_SECTION_KEY`.
    var variable: String {
        let name = path.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
        return "GATEHOUSE_\(name)"
    }

    /// The name of the systemd credential (systemd.exec(5), `LoadCredential=`) that a secret is usually given by: see ``CredentialsFolder``.
    var credential: String? { isSecret ? path : nil }
}
