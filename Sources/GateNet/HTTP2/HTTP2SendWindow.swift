/// What may be sent on a stream, or on all of a connection together, until the client opens it again (RFC 9113 §5.2). In bytes.
struct HTTP2SendWindow {
    /// RFC 9113 §6.9.2
    static let initial = 65_535

    /// Below zero where a client has made its windows smaller (RFC 9113 §6.9.2).
    private(set) var open: Int
    private(set) var widest: Int

    init(_ open: Int) {
        self.open = open
        widest = open
    }

    mutating func change(by count: Int) {
        open += count
        widest = max(widest, open)
    }

    mutating func use(_ count: Int) { open -= count }
}

/// Whether content that does not fit into the windows is cut to fit, or waits for them to open.
///
/// A client that opens both windows again for each frame, by what was in it, has the next frames cut as the last ones were, and then in between:
/// without a lower bound they get smaller and smaller (the silly window syndrome, RFC 1122 §4.2.3.4). Waiting for ever would not do
/// either: some open a window only when it is used up.
struct HTTP2FrameCut {
    /// Nobody takes less (RFC 9113 §6.5.2).
    static let largest = 16 << 10
    /// Worth a frame whatever more there is to send.
    static let worthwhile = 4 << 10
    /// Frames cut smaller than that: so many at once, and one for so many bytes that were sent.
    static let smallFrames = 16
    static let bytesForSmallFrame = 32 << 10

    struct Piece: Equatable {
        let count: Int
        /// That windows are opened for it is our doing, and no flood.
        let mayBringUpdates: Bool
    }

    private var smallFrames = HTTP2FrameCut.smallFrames
    private var sinceSmallFrame = 0

    /// What to send of `count` bytes, which are more than none; `nil` to wait for wider windows. It is taken for sent.
    mutating func next(of count: Int, stream: HTTP2SendWindow, connection: HTTP2SendWindow) -> Piece? {
        let wanted = min(count, Self.largest)
        let open = min(stream.open, connection.open)
        guard open < wanted else { return send(wanted) }
        guard open > 0 else { return nil }
        if open >= min(Self.worthwhile, min(stream.widest, connection.widest) / 2) {
            // A client with such windows has chosen to be sent little at a time.
            return send(open, mayBringUpdates: open >= 512)
        }
        guard smallFrames > 0 else { return nil }
        smallFrames -= 1
        return send(open)
    }

    private mutating func send(_ count: Int, mayBringUpdates: Bool = true) -> Piece {
        sinceSmallFrame += count
        if sinceSmallFrame >= Self.bytesForSmallFrame {
            smallFrames = min(Self.smallFrames, smallFrames + sinceSmallFrame / Self.bytesForSmallFrame)
            sinceSmallFrame %= Self.bytesForSmallFrame
        }
        return Piece(count: count, mayBringUpdates: mayBringUpdates)
    }
}
