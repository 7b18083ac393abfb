import GateHTTP

/// Where Gatehouse's own routes are, so that applications can have their paths for themselves.
package struct OwnRoutePlace: Sendable {
    private let host: String?
    private let prefix: PathPrefix?
    private let prefixLength: Int

    /// - Parameters:
    ///   - host: the only one that they are at, in lower case; `nil` for every one.
    ///   - prefix: what stands before their paths.
    package init(host: String? = nil, prefix: PathPrefix? = nil) {
        self.host = host
        self.prefix = prefix?.text == "/" ? nil : prefix
        prefixLength = prefix?.text.utf8.count ?? 0
        isEverywhere = host == nil && self.prefix == nil
    }

    /// Whether they are where they always were: the usual case.
    let isEverywhere: Bool

    /// The request as our own routes know it, without the prefix; `nil` where they are not.
    func own(_ request: Request) -> Request? {
        if let host, HostPattern.host(of: request.authority) != host { return nil }
        guard let prefix else { return request }
        guard prefix.covers(request.target.path),
            let target = RequestTarget(Self.rest(of: request.target.raw, after: prefixLength))
        else { return nil }
        return request.with(target: target)
    }

    private static func rest(of target: String, after count: Int) -> String {
        String(target[target.utf8.index(target.startIndex, offsetBy: count)...])
    }
}
