import GateAccess
import GateCore
package import GateHTTP
import NIOHTTP1

/// The operator's calls, as the command line makes them: over the admin socket of the running server or, where none runs, in its
/// own process. Whoever can open the socket (mode 0600) may do everything, so nobody is asked who they are.
package struct AdminAPI: Responder {
    private let services: AdminServices
    private let router: Router<AdminEndpoint>

    package init(services: AdminServices) {
        self.services = services
        var routes = RouterBuilder<AdminEndpoint>()
        AdminUserRoutes.add(to: &routes)
        AdminSessionRoutes.add(to: &routes)
        AdminLimitRoutes.add(to: &routes)
        AdminCertificateRoutes.add(to: &routes)
        AdminServerRoutes.add(to: &routes)
        AdminBackupRoutes.add(to: &routes)
        router = routes.freeze()
    }

    package func respond(to request: Request) -> Answer {
        switch router.match(request.method, request.target.path) {
        case .found(let endpoint, let parameters):
            let call = AdminCall(request: request, parameters: parameters, services: services)
            return .later {
                do { return try await endpoint(call) } catch { return fail(error, request) }
            }
        case .methodNotAllowed(let allowed):
            let allow = allowed.map(\.rawValue).joined(separator: ", ")
            return .now(fail(Problem(.methodNotAllowed, headers: ["allow": allow]), request))
        case .notFound: return .now(fail(Problem(.notFound), request))
        }
    }

    private func fail(_ error: any Error, _ request: Request) -> Response {
        Problem(describing: error, of: request, log: services.log)
            .response(id: request.id, instance: request.target.path, baseURL: "")
    }
}

/// Only the metrics, for a scraper on a private address.
package struct MetricsEndpoint: Responder {
    private let metrics: @Sendable () -> String

    package init(metrics: @escaping @Sendable () -> String) { self.metrics = metrics }

    package func respond(to request: Request) -> Answer {
        guard request.target.path == "/metrics", request.method == .GET || request.method == .HEAD else {
            return .now(Problem(.notFound).response(id: request.id, instance: request.target.path, baseURL: ""))
        }
        return .now(.prometheus(metrics()))
    }
}

typealias AdminEndpoint = @Sendable (AdminCall) async throws -> Response

struct AdminCall: Sendable {
    let request: Request
    let parameters: RouteParameters
    let services: AdminServices

    func form() async throws(Problem) -> RequestForm { try await request.form(limit: 1 << 20) }

    /// A path parameter with its percent signs decoded.
    func parameter(_ name: String) throws(Problem) -> String {
        guard let value = parameters[name], let text = FormEncoding.decode(value) else { throw Problem(.notFound) }
        return text
    }

    /// `limit` of the query: 100 if it is not given, 1000 at most.
    func pageSize() throws(Problem) -> Int {
        guard let text = request.target.queryValue("limit") else { return 100 }
        guard let size = Int(text), (1...1000).contains(size) else { throw Problem(.invalid, "limit must be a number from 1 to 1000.") }
        return size
    }
}

extension Response {
    /// Prometheus' text exposition format.
    static func prometheus(_ text: String) -> Response {
        var response = Response.text(.ok, text)
        response.headers.replaceOrAdd(name: "content-type", value: "text/plain; version=0.0.4; charset=utf-8")
        return response
    }
}
