import GateHTTP
import NIOCore
import NIOHTTP1
import Synchronization

/// The body of a request on its way to an application: counted against the site's limit, and remembering what it failed with, since the one
/// who sends it only sees that it failed.
final class ForwardedBody: BodyStream {
    private let source: any BodyStream
    private let limit: Int?
    private let state = Mutex(State())

    private struct State {
        var bytes = 0
        var failure: BodyError?
    }

    /// - Parameter limit: in bytes; `nil` for any size.
    init(_ source: any BodyStream, limit: Int?) {
        self.source = source
        self.limit = limit
    }

    /// What the client did wrong; `nil` as long as nothing was.
    var failure: BodyError? { state.withLock { $0.failure } }

    func next() async throws(BodyError) -> ByteBuffer? {
        do throws(BodyError) {
            guard let part = try await source.next() else { return nil }
            let sum = state.withLock { state in
                state.bytes += part.readableBytes
                return state.bytes
            }
            if let limit, sum > limit { throw .tooLarge(limit: limit) }
            return part
        } catch {
            // Where the sender has given up, it is not the body that failed.
            if !Task.isCancelled { state.withLock { $0.failure = error } }
            throw error
        }
    }

    var trailers: HTTPHeaders {
        get async { PassedTrailers.fields(await source.trailers) }
    }
}
