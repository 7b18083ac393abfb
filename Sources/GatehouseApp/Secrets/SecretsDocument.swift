import GateCore
import GateCrypto

/// The text of `secrets.toml`. Times are whole milliseconds since 1970, as in the database.
enum SecretsDocument {
    private static let version: Int64 = 1

    static func text(of secrets: Secrets) -> String {
        var text = """
            # The secrets of this gatehouse. Keep them to yourself, and in your backups.
            # Replace them with: gatehouse secret rotate
            version = \(version)
            account_hash_key = "\(Base64URL.encode(secrets.accountHashKey.exposed))"

            """
        if let time = secrets.tokensValidFrom { text += "tokens_valid_from = \(time.milliseconds)\n" }
        for key in secrets.signing {
            text += "\n[[signing]]\nid = \"\(key.id)\"\nalgorithm = \"\(key.algorithm.rawValue)\"\n" + body(key.material, key.life)
        }
        for key in secrets.session { text += "\n[[session]]\nid = \"\(key.id)\"\n" + body(key.material, key.life) }
        return text
    }

    private static func body(_ material: Secret, _ life: Secrets.Life) -> String {
        "material = \"\(Base64URL.encode(material.exposed))\"\ncreated_at = \(life.createdAt.milliseconds)\n"
            + (life.retiredAt.map { "retired_at = \($0.milliseconds)\n" } ?? "")
    }

    static func read(_ text: String, path: String) throws(SecretsError) -> Secrets {
        let document = TOMLDocument(text)
        if let error = document.errors.first {
            throw damaged(path, "line \(error.position.line): \(error.problem)")
        }
        let root = Table(table: document.root, name: "", path: path)
        guard try root.integer("version") == version else {
            throw SecretsError(
                path: path, problem: "was written by another version of gatehouse", cure: "use the version that wrote it, or a newer one")
        }
        let signing = try root.tables("signing").map { table throws(SecretsError) in
            guard let algorithm = SigningAlgorithm(rawValue: try table.text("algorithm")) else {
                throw damaged(path, "an unknown algorithm")
            }
            let key = Secrets.Signing(
                id: try table.text("id"), algorithm: algorithm, material: try table.secret("material"), life: try table.life())
            do throws(CryptoError) {
                _ = try SigningKey(id: key.id, algorithm: algorithm, material: key.material)
            } catch {
                throw damaged(path, "the key \(key.id) is none")
            }
            return key
        }
        let session = try root.tables("session").map { table throws(SecretsError) in
            Secrets.Session(id: try table.text("id"), material: try table.secret("material"), life: try table.life())
        }
        guard !session.isEmpty else { throw damaged(path, "there is no session key") }
        return Secrets(
            signing: signing, session: session, accountHashKey: try root.secret("account_hash_key"),
            tokensValidFrom: root.table["tokens_valid_from"] == nil
                ? nil : Timestamp(milliseconds: try root.integer("tokens_valid_from")))
    }

    static func damaged(_ path: String, _ what: String) -> SecretsError {
        SecretsError(path: path, problem: "is damaged (\(what))", cure: SecretsFile.restore)
    }

    /// Reads what must be there.
    private struct Table {
        let table: TOMLTable
        let name: String
        let path: String

        func text(_ key: String) throws(SecretsError) -> String {
            guard case .scalar(.string(let text)) = table[key], !text.isEmpty else { throw missing(key) }
            return text
        }

        func integer(_ key: String) throws(SecretsError) -> Int64 {
            guard case .scalar(.integer(let number)) = table[key] else { throw missing(key) }
            return number
        }

        func secret(_ key: String) throws(SecretsError) -> Secret {
            guard let bytes = Base64URL.decode(Array(try text(key).utf8)), bytes.count >= 32 else { throw missing(key) }
            return Secret(bytes)
        }

        func life() throws(SecretsError) -> Secrets.Life {
            Secrets.Life(
                createdAt: Timestamp(milliseconds: try integer("created_at")),
                retiredAt: table["retired_at"] == nil ? nil : Timestamp(milliseconds: try integer("retired_at")))
        }

        func tables(_ key: String) throws(SecretsError) -> [Table] {
            switch table[key] {
            case nil: []
            case .tables(let list): list.map { Table(table: $0, name: key + ".", path: path) }
            default: throw missing(key)
            }
        }

        private func missing(_ key: String) -> SecretsError {
            SecretsDocument.damaged(path, "\(name)\(key) is missing or has another form")
        }
    }
}
