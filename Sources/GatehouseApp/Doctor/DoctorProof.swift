package import GateCore
import GateCrypto
package import GateHTTP
import NIOHTTP1

/// How the doctor tells this server from any other: whoever has the data folder's secrets can answer what nobody can have known.
///
/// `GET /.well-known/gatehouse-doctor/NONCE` is answered with the nonce's HMAC-SHA-256 under a key that is derived for this alone: what
/// it signs is good for nothing else. Instances that share a database give the same answer: whichever a load balancer asks.
package struct DoctorProof: Sendable {
    package static var path: String { "\(pathBeginning)" }
    private static let pathBeginning: StaticString = "/.well-known/gatehouse-doctor/"
    /// 32 random bytes in base64url.
    private static let nonceSize = 43

    private let key: Secret

    /// - Parameter secret: from the data folder, the same for the server and the doctor.
    package init(secret: Secret) { key = Secret(HMACSHA256.authenticate(Array("gatehouse doctor".utf8), key: secret)) }

    /// Of the server that this configuration is for; `nil` where it was never started.
    static func of(_ configuration: Configuration) throws(SecretsError) -> DoctorProof? {
        switch configuration.database.url {
        case .sqlite:
            let secrets = try SecretsFile(folder: configuration.dataDirectory).read()
            return secrets.map { DoctorProof(secret: $0.accountHashKey) }
        case .postgres: return try configuration.findClusterKey().map { DoctorProof(secret: $0.doctorSecret) }
        }
    }

    static func nonce(_ entropy: some Entropy) -> String { Base64URL.encode(entropy.bytes(32)) }

    func answer(to nonce: String) -> String { Base64URL.encode(HMACSHA256.authenticate(Array(nonce.utf8), key: key)) }

    func isAnswer(_ body: [UInt8], to nonce: String) -> Bool { constantTimeEqual(body, Array(answer(to: nonce).utf8)) }

    /// `nil` where this is no request of the doctor.
    package func respond(to request: Request) -> Response? {
        guard request.target.begins(with: Self.pathBeginning), request.method == .GET || request.method == .HEAD else { return nil }
        let nonce = String(request.target.path.dropFirst(Self.pathBeginning.utf8CodeUnitCount))
        guard nonce.utf8.count == Self.nonceSize, Base64URL.decode(Array(nonce.utf8)) != nil else { return nil }
        var response = Response.text(.ok, answer(to: nonce))
        response.headers.add(name: "cache-control", value: "no-store")
        return response
    }
}

/// Answers the doctor, and passes everything else on. It stands before redirects: the doctor asks over plain HTTP too.
package final class DoctorEndpoint: Responder {
    private let proof: DoctorProof
    private let next: any Responder

    package init(_ proof: DoctorProof, next: any Responder) {
        self.proof = proof
        self.next = next
    }

    package func respond(to request: Request) -> Answer {
        guard let response = proof.respond(to: request) else { return next.respond(to: request) }
        return .now(response)
    }
}
