import GateCore

/// One server of an application, for metrics and for the operator.
package struct UpstreamReport: Hashable, Sendable {
    /// The URL, or `unix:` and the path of its socket.
    package var server: String
    /// Sent to it since the server started, tries among them.
    package var requests: UInt64
    /// Of those, the ones that brought no response, or not all of one.
    package var failures: UInt64
    package var inFlight: Int
    /// Whether it is sent requests.
    package var isHealthy: Bool
}
