import GateCore
import GateHTTP
import NIOHTTP1

/// The operator's calls about certificates.
enum AdminCertificateRoutes {
    static func add(to routes: inout RouterBuilder<AdminEndpoint>) {
        routes.add(.GET, "/admin/certificates", list)
        routes.add(.POST, "/admin/certificates/renew", renew)
    }

    private static func list(_ call: AdminCall) async throws -> Response {
        .list("certificates", await call.services.certificates.certificates()) { writer, certificate in writer.value(certificate) }
    }

    /// Answers with the certificates as they are then: `busy` ones are being renewed.
    private static func renew(_ call: AdminCall) async throws -> Response {
        let target = call.request.target
        let name = target.queryValue("name")
        do throws(CertificateOperationError) {
            try await call.services.certificates.renew(name, force: target.queryValue("force") == "true")
        } catch {
            switch error {
            case .unknownName: throw Problem(.notFound, "There is no certificate for \(name ?? "any name").")
            case .refused(let reason): throw Problem(.invalid, reason)
            }
        }
        return try await list(call)
    }
}

extension JSONWriter {
    fileprivate mutating func value(_ certificate: CertificateReport) {
        beginObject()
        member("names", .array(certificate.names.map { .string($0) }))
        member("source", certificate.source.rawValue)
        member("status", certificate.status.rawValue)
        member("issuer", certificate.issuer)
        member("authority", certificate.authority)
        member("not_before", certificate.notBefore)
        member("not_after", certificate.notAfter)
        member("fingerprint", certificate.fingerprint)
        member("next_action", certificate.nextAction)
        member("next_action_at", certificate.nextActionAt)
        member("reason", certificate.reason)
        member("busy", certificate.isBusy)
        name("last_problem")
        if let problem = certificate.lastProblem {
            beginObject()
            member("at", problem.at)
            member("message", problem.message)
            member("document", problem.document ?? .null)
            endObject()
        } else {
            null()
        }
        endObject()
    }

    private mutating func member(_ name: String, _ value: Timestamp?) {
        self.name(name)
        if let value { self.value(value) } else { null() }
    }
}
