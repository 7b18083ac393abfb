/// How much a client may send before its body is read (RFC 9113 §5.2), and when it is told that it may send more. In bytes.
enum HTTP2Window {
    /// Of one stream: twice what HTTP/1.1 holds is too little here, since the client learns of more only after a round trip.
    static let stream = 128 << 10
    /// Of all streams of a connection together: the most that one connection can make us hold.
    static let connection = 256 << 10
    /// Of one response, waiting for room in the client's window or in the socket. Beyond it its writer waits.
    static let outbound = 64 << 10

    /// What to add to a window of which `open` bytes are open and `held` bytes have come and are not read; `nil` for nothing yet: less than
    /// half is not worth a frame.
    static func increment(open: Int, held: Int, target: Int) -> Int? {
        let promised = open + held
        return promised <= target / 2 ? target - promised : nil
    }
}
