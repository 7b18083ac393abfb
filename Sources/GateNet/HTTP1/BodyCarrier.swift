import GateHTTP
import NIOCore
import NIOHTTP1

/// A connection as the bodies on it know it. To be called on its event loop; `exchange` is the number of the body's exchange, and where
/// that is over the answer is `.disconnected`.
protocol BodyCarrier: AnyObject, SendableMetatype {
    /// The next part for the reader of the body, where it is there already; `nil` where it has to be waited for.
    func bodyPart(for exchange: UInt64) -> Result<ByteBuffer?, BodyError>?
    func awaitBody(_ exchange: UInt64, _ continuation: CheckedContinuation<Result<ByteBuffer?, BodyError>, Never>)
    func cancelBody(_ exchange: UInt64)
    /// Those of the request, once its body has been read to its end.
    func trailers(of exchange: UInt64) -> HTTPHeaders

    /// `nil` where the writer has to wait for room.
    func writePart(_ part: ByteBuffer, of exchange: UInt64) -> Result<Void, BodyError>?
    func awaitRoom(_ exchange: UInt64, _ continuation: CheckedContinuation<Result<Void, BodyError>, Never>)
    func cancelWrite(_ exchange: UInt64)
    /// For the end of the response's body.
    func setTrailers(_ fields: HTTPHeaders, of exchange: UInt64)

    /// Ends our direction of a tunnel, behind what has been written to it.
    func endTunnelOutput(_ exchange: UInt64) -> Result<Void, BodyError>
}
