package import GateHTTP
import NIOHTTP1

/// The pages that are ours on every host, and how one gets there.
package enum OwnPages {
    package static let signIn = "/.gatehouse/sign-in"
    package static let signOut = "/.gatehouse/sign-out"

    /// `?redirect=` and the place that `request` wanted to go to; empty where that cannot be a redirect.
    ///
    /// What changed something is not repeated: then it is the page that the request was sent from, or the first one.
    package static func redirectQuery(for request: Request) -> String {
        let isSafe = request.method == .GET || request.method == .HEAD
        let target = isSafe ? request.target.raw : referringPath(of: request) ?? "/"
        return RedirectTarget(target, origins: []).map { query($0) } ?? ""
    }

    /// `?redirect=` and a place.
    package static func query(_ redirect: RedirectTarget) -> String { "?redirect=\(FormEncoding.encode(redirect.location))" }

    private static func referringPath(of request: Request) -> String? {
        guard let referrer = request.headers.first(name: "referer").flatMap(HTTPURL.init), referrer.authority == request.authority else {
            return nil
        }
        return referrer.target.raw
    }
}
