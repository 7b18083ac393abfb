import GateAccess
import GateCore
import GateHTTP
import NIOHTTP1

/// A request as another proxy tells of it.
///
/// Traefik and Caddy say `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri`; nginx says what its configuration does, as a rule
/// `X-Original-URL`. A proxy that sets the one passes the other on as the client sent it. So where both are there, they have to agree: nobody
/// gets the rule of another path by sending the field that the proxy in front does not know.
struct ForwardedQuestion {
    /// The request that is asked about, with the fields that came along.
    let request: Request
    /// nginx's `auth_request` knows 2xx, 401 and 403; to it everything else is a fault of ours, and answered with 500.
    private let isPlain: Bool

    static let ambiguousPath = Problem(.malformed, "The path has more than one reading.")
    private static let disagreement = Problem(.forbidden, "X-Original-URL and the X-Forwarded fields tell of different requests.")
    private static let misspelt = Problem(.forbidden, "A field that only Gatehouse may send came in another spelling.")

    /// - Throws: `Problem` where the fields contradict each other or cannot be read: then nobody is let through.
    init(_ call: Request, trusted: [IPNetwork]) throws(Problem) {
        isPlain = call.headers.contains(name: "x-original-url")
        guard let peer = call.peer, trusted.contains(where: { $0.contains(peer) }) else {
            request = call.with(body: .empty)
            return
        }
        // The proxy drops the fields by their names; another spelling may get past it, and the application may not tell them apart.
        guard !call.headers.contains(where: { IdentityFields.isReserved($0.name) && !IdentityFields.isPlainlySpelt($0.name) }) else {
            throw Self.misspelt
        }
        let method = try Self.agreed(call.headers["x-forwarded-method"] + call.headers["x-original-method"]).map(HTTPMethod.init)
        var target: RequestTarget?
        var scheme: Request.Scheme?
        var authority: String?
        if let uri = try Self.agreed(call.headers["x-forwarded-uri"]) {
            guard let read = RequestTarget(uri) else { throw Self.disagreement }
            target = read
        }
        if let original = try Self.agreed(call.headers["x-original-url"]) {
            let url = HTTPURL(original)
            guard let read = url?.target ?? RequestTarget(original), target == nil || target == read else { throw Self.disagreement }
            target = read
            if let url {
                let isHostKnown = call.headers.contains(name: "x-forwarded-host") || call.headers.contains(name: "forwarded")
                guard !isHostKnown || Self.host(call.authority) == Self.host(url.authority) else { throw Self.disagreement }
                authority = url.authority
                if !call.headers.contains(name: "x-forwarded-proto") { scheme = url.scheme }
            }
        }
        request = call.with(method: method, target: target, body: .empty, scheme: scheme, authority: authority)
    }

    private static func agreed(_ values: [String]) throws(Problem) -> String? {
        guard values.allSatisfy({ $0 == values[0] }) else { throw disagreement }
        return values.first
    }

    /// Without the port.
    private static func host(_ authority: String) -> Substring {
        let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
        return authority[..<(authority[afterBracket...].firstIndex(of: ":") ?? authority.endIndex)]
    }
}

extension ForwardedQuestion {
    /// What the proxy is told, which it passes on to the client unless it is 200.
    ///
    /// - Parameter admission: not `.later`.
    func answer(to admission: Admission, _ services: APIServices) -> Response {
        switch admission {
        case .admitted(let admitted):
            var response = Response(.ok, headers: ["cache-control": "no-store"])
            response.encodedFields = admitted.identity?.completedFields ?? IdentityFields.ofNobody
            response.encodedFields.append(admitted.responseFields)
            return response
        case .refused(let response): return fitted(response)
        case .later: return answer(to: Problem(.internal), services)
        }
    }

    func answer(to problem: Problem, _ services: APIServices) -> Response {
        fitted(problem.answer(to: request, baseURL: services.publicURL))
    }

    /// Traefik takes a relative place for one of Gatehouse's own, so it is told in full.
    private func fitted(_ response: Response) -> Response {
        var response = response
        if let location = response.headers.first(name: "location"), location.hasPrefix("/") {
            response.headers.replaceOrAdd(name: "location", value: "\(request.scheme.rawValue)://\(request.authority)\(location)")
        }
        guard isPlain else { return response }
        switch response.status.code {
        case 300...399:
            response.status = .unauthorized
            response.headers.replaceOrAdd(name: "www-authenticate", value: "Bearer")
        case 400, 402, 404...499: response.status = .forbidden
        default: break
        }
        return response
    }
}
