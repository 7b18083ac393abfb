import GateCore
package import GateCrypto
import Glibc

/// The `openssl` command, as a second opinion about what we write.
package enum OpenSSLCommand {
    /// What `openssl ARGUMENTS` prints, errors included, and whether it succeeded. The arguments go through a shell.
    package static func run(_ arguments: String) -> (text: String, succeeded: Bool) {
        guard let stream = popen("openssl \(arguments) 2>&1", "r") else { return ("cannot start openssl", false) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&chunk, 1, chunk.count, stream), count > 0 { bytes += chunk[..<count] }
        return (String(decoding: bytes, as: UTF8.self), pclose(stream) == 0)
    }
}

/// A small authority, made by the `openssl` command: root, intermediate and leaves in files of one folder.
package struct CommandLineAuthority {
    package let folder = TemporaryFolder()

    package init() {
        make("root", subject: "/CN=Test Root", extensions: "basicConstraints=critical,CA:true", signedBy: nil)
        make("middle", subject: "/O=Test/CN=Test Intermediate", extensions: "basicConstraints=critical,CA:true", signedBy: "root")
    }

    /// Leaves `NAME.pem` and `NAME.key`.
    package func make(
        _ name: String, subject: String, extensions: String, signedBy issuer: String?,
        key: String = "-newkey ec -pkeyopt ec_paramgen_curve:P-256",
        days: Int = 90
    ) {
        let lines = "[req]\ndistinguished_name=dn\n[dn]\n[ext]\nsubjectKeyIdentifier=hash\n\(extensions)\n"
        folder.write("\(name).cnf", lines)
        let signing = issuer.map { "-CA \(path($0, "pem")) -CAkey \(path($0, "key")) -CAcreateserial" } ?? ""
        // `req -x509` cannot sign with another key in OpenSSL 3.0: a request is made first.
        let base = "-config \(path(name, "cnf")) -subj '\(subject)' \(key) -nodes -keyout \(path(name, "key"))"
        let made =
            issuer == nil
            ? OpenSSLCommand.run("req -x509 -new \(base) -extensions ext -days \(days) -out \(path(name, "pem"))")
            : OpenSSLCommand.run("req -new \(base) -out \(path(name, "csr"))")
        precondition(made.succeeded, made.text)
        guard issuer != nil else { return }
        let signed = OpenSSLCommand.run(
            "x509 -req -in \(path(name, "csr")) \(signing) -extfile \(path(name, "cnf")) -extensions ext -days \(days) -out \(path(name, "pem"))"
        )
        precondition(signed.succeeded, signed.text)
    }

    package func path(_ name: String, _ kind: String) -> String { folder.file("\(name).\(kind)") }

    package func read(_ names: String...) -> [UInt8] { names.flatMap { Array((folder.read($0) ?? "").utf8) } }
}

extension CommandLineAuthority {
    /// A leaf for `alternatives` (`DNS:localhost,IP:127.0.0.1`) from the intermediate, which is sent along.
    package func certified(_ alternatives: String, signedBy issuer: String? = "middle", key: String? = nil) -> CertifiedKey {
        let name = "leaf\(folder.names.count)"
        let extensions = alternatives.isEmpty ? "keyUsage=digitalSignature" : "subjectAltName=\(alternatives)"
        make(
            name, subject: "/CN=\(name)", extensions: extensions, signedBy: issuer,
            key: key ?? "-newkey ec -pkeyopt ec_paramgen_curve:P-256")
        let issuers = issuer == "middle" ? read("middle.pem") : []
        return try! CertifiedKey(chain: read("\(name).pem") + issuers, key: Secret(read("\(name).key")))
    }
}
