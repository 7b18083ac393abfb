package import GateCore

/// What a server is told about its work.
package struct HTTPServerConfiguration: Sendable {
    package var limits = ServerLimits()
    /// Compresses what is worth it for clients that ask for it.
    package var compresses = true
    /// Whose `X-Forwarded-*` and `Forwarded` fields are believed.
    package var trustedProxies: [IPNetwork] = []
    /// The public URL, without a slash at its end: problem documents refer to it.
    package var baseURL = ""

    package init() {}
}
