import GateCore

/// How long to wait before the next attempt to connect: from 20 ms, doubling, to 2 s, each less by up to half at random so that many
/// instances do not come back in step. A connection that held for ten seconds makes it begin again.
struct ReconnectDelay {
    static let first = Duration.milliseconds(20)
    static let longest = Duration.seconds(2)
    static let proven = Duration.seconds(10)

    private var next = first

    mutating func held(for time: Duration) {
        if time >= Self.proven { next = Self.first }
    }

    mutating func take(_ entropy: any Entropy) -> Duration {
        defer { next = min(next * 2, Self.longest) }
        return next - next * Int(entropy.uint64() % 512) / 1024
    }
}
