package import GateHTTP
import NIOCore
import Synchronization

/// One server that an ``HTTPClient`` sends streamed requests to: what a proxy has for each of its upstreams. It has connections of its own,
/// which are closed as they fall idle once nobody holds it any more.
package final class Endpoint: Sendable {
    package let settings: EndpointSettings
    let destination: Destination
    private let loops: ClientLoops
    private let authority: String
    private let connectTime: Duration
    /// The pool's host on each event loop: nothing is looked up for a request.
    private let hosts: [NIOLoopBoundBox<ClientLoop.Pool.Host>]
    private let counters: [InFlightCounter]

    init(_ settings: EndpointSettings, _ destination: Destination, _ loops: ClientLoops) {
        self.settings = settings
        self.destination = destination
        self.loops = loops
        authority = settings.url.authority
        connectTime = settings.connectTime
        hosts = loops.loops.map { loop in
            .makeBoxSendingValue(
                ClientLoop.Pool.Host(destination, limit: settings.connections), eventLoop: loop.context.eventLoop)
        }
        counters = loops.loops.map { _ in InFlightCounter() }
    }

    /// Sends a request whose body may be a stream, and returns with the head of the response: the body follows as it is read.
    ///
    /// Fast where the task runs on one of the client's event loops. Cancelling the task gives the request up.
    /// - Throws: ``OutgoingError``; its ``OutgoingError/progress`` tells how far the request had come.
    package func stream(_ request: StreamedRequest) async throws(OutgoingError) -> StreamedResponse {
        if let loop = loops.current { return try await loop.head(of: call(request, on: loop.context.value)).get() }
        let loop = loops.loop(for: destination)
        return try await withTaskExecutorPreference(loop.executor) { () async -> OutgoingCall.Outcome in
            await loop.head(of: call(request, on: loop.context.value))
        }.get()
    }

    /// As ``stream(_:)``, without a task and its cost.
    ///
    /// - Parameters:
    ///   - loop: this client's, which the caller is on, see ``loop``.
    ///   - done: is called on it, once, perhaps before this returns.
    /// - Returns: what gives the request up, which `done` is told of.
    package func begin(
        _ request: StreamedRequest, on loop: ClientLoop, _ done: @escaping (Result<StreamedResponse, OutgoingError>) -> Void
    ) -> () -> Void {
        let call = call(request, on: loop)
        loop.start(call, .callback(done))
        return { call.cancel() }
    }

    /// What the client does on the event loop that the caller is on; `nil` where that is none of its own.
    package var loop: ClientLoop? { loops.current?.context.value }

    private func call(_ request: StreamedRequest, on loop: ClientLoop) -> OutgoingCall {
        OutgoingCall(
            request, to: hosts[loop.index].value, authority, limits: .staged(connect: connectTime), on: loop,
            counter: counters[loop.index])
    }

    /// Requests that are on their way, on all event loops: those with an open tunnel, or with a body that has not been read to its end,
    /// among them.
    package var requestsInFlight: Int { counters.reduce(0) { $0 + $1.count } }
}

/// Counts what one event loop has on its way; read from anywhere.
final class InFlightCounter: Sendable {
    private let value = Atomic<Int>(0)
    /// Keeps the counters of two event loops off the same line of the cache.
    private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)

    var count: Int { value.load(ordering: .relaxed) }
    func increment() { value.add(1, ordering: .relaxed) }
    func decrement() { value.subtract(1, ordering: .relaxed) }
}
