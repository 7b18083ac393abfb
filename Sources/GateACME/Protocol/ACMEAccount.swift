package import GateCore
package import GateCrypto

/// An account at an authority: its key is its identity.
package struct ACMEAccount: Sendable {
    /// ES256.
    package let key: SigningKey
    /// The account's URL, which is its `kid` (RFC 8555 §7.3); `nil` until it was registered or found.
    package var url: String?
    /// `mailto:` URLs.
    package var contact: [String]
    /// Wanted by authorities that know their customers by other means (RFC 8555 §7.3.4).
    package var externalAccount: ExternalAccount?

    package init(key: SigningKey, url: String? = nil, contact: [String] = [], externalAccount: ExternalAccount? = nil) {
        self.key = key
        self.url = url
        self.contact = contact
        self.externalAccount = externalAccount
    }

    package static func generate(contact: [String], externalAccount: ExternalAccount? = nil, entropy: some Entropy) throws(CryptoError)
        -> ACMEAccount
    {
        ACMEAccount(key: try .generate(.es256, id: "acme", entropy: entropy), contact: contact, externalAccount: externalAccount)
    }

    /// What an authority gives its customer to bind the account to.
    package struct ExternalAccount: Sendable {
        package let keyID: String
        package let hmacKey: Secret

        package init(keyID: String, hmacKey: Secret) {
            self.keyID = keyID
            self.hmacKey = hmacKey
        }
    }
}

extension ACMEAccount {
    /// For a file that only this server may read: it holds the account's private key.
    package var json: JSON {
        [
            "key": .string(Base64URL.encode(key.material.exposed)), "url": url.map { .string($0) } ?? .null,
            "contact": .array(contact.map { .string($0) }),
        ]
    }

    /// What `json` wrote; the external account comes from the configuration. `nil` where it is something else or the key is none.
    package init?(json: JSON, externalAccount: ExternalAccount? = nil) {
        guard let material = json["key"]?.string.flatMap({ Base64URL.decode($0.utf8) }),
            let key = try? SigningKey(id: "acme", algorithm: .es256, material: Secret(material))
        else { return nil }
        self.init(
            key: key, url: json["url"]?.string, contact: json["contact"]?.array?.compactMap(\.string) ?? [],
            externalAccount: externalAccount)
    }
}
