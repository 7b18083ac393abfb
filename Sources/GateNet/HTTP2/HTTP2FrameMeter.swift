import GateCore

/// Watches the frames that come in, by their headers alone (RFC 9113 §4.1): how much of them does no request any good, and whether the
/// connection stands in the middle of one. No socket, no clock.
///
/// `NIOHTTP2Handler` limits some floods by itself (resets, PING, SETTINGS, PRIORITY, CONTINUATION, empty DATA, stream errors), and does not
/// tell of half a frame, of frames of unknown types, nor of WINDOW_UPDATE for streams that are gone. One allowance for all of it: each
/// frame that serves nobody costs, requests and time earn.
struct HTTP2FrameMeter {
    /// What may be spent at once. A browser sends some ten such frames when it begins, and a few for each response.
    static let capacity = 1000
    /// What comes back in a second.
    static let refill = 50
    /// Entries of one SETTINGS frame. There are eight settings; NIO keeps every unknown one, for each connection.
    static let settingsCount = 32
    /// The most updates of windows that are expected at once: those of some 32 MiB on their way.
    static let expectedUpdatesLimit = 1 << 14

    enum Verdict {
        case fine
        /// More than the allowance: ENHANCE_YOUR_CALM.
        case flooding
    }

    private enum FrameType {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let resetStream: UInt8 = 3
        static let settings: UInt8 = 4
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    private var allowance = HTTP2FrameMeter.capacity
    private var refilledAt: MonotonicInstant
    /// WINDOW_UPDATE frames that what was sent may bring, see ``sent(_:)``.
    private var expectedUpdates = 0
    /// Of the preface (RFC 9113 §3.4), then of the payload at hand: what is still to come, in bytes.
    private var outstanding = 24
    private var header: UInt64 = 0
    private var headerBytes = 0
    private var type: UInt8?
    private var isInFieldSection = false

    init(at now: MonotonicInstant) { refilledAt = now }

    /// Whether a frame, or a field section of several, has begun and not ended. The content of a body is none: it is timed by its reader.
    var isWithinFrame: Bool { headerBytes > 0 || isInFieldSection || outstanding > 0 && type != FrameType.data }

    /// Notes content that was sent, in bytes. A client opens two windows again for what it has read: some for a frame, Go's for 4 KiB, and
    /// all of them at once for what was on its way. That is kept apart from the allowance, whose capacity would cut it off.
    mutating func sent(_ count: Int) { expectedUpdates = min(Self.expectedUpdatesLimit, expectedUpdates + 2 + count / (2 << 10)) }

    mutating func earn(_ amount: Int) { allowance = min(Self.capacity, allowance + amount) }
    mutating func spend(_ amount: Int) -> Verdict {
        allowance -= amount
        return allowance < 0 ? .flooding : .fine
    }

    mutating func take(_ bytes: UnsafeRawBufferPointer, at now: MonotonicInstant) -> Verdict {
        refill(at: now)
        var place = 0
        while place < bytes.count {
            if outstanding > 0 {
                let count = min(outstanding, bytes.count - place)
                outstanding -= count
                place += count
            } else {
                header = header << 8 | UInt64(bytes[place])
                headerBytes += 1
                place += 1
                if headerBytes == 9 { guard begin() == .fine else { return .flooding } }
            }
        }
        return .fine
    }

    private mutating func refill(at now: MonotonicInstant) {
        let elapsed = now.since(refilledAt)
        guard elapsed >= .milliseconds(100) else { return }
        earn(elapsed >= .seconds(60) ? Self.capacity : Int(elapsed / .milliseconds(1)) * Self.refill / 1000)
        refilledAt = now
    }

    private mutating func begin() -> Verdict {
        // `header` holds the last eight octets of the nine; the first has been shifted out, and is the highest of a length that no frame
        // within SETTINGS_MAX_FRAME_SIZE has. NIO refuses such a frame, and nothing after it is read.
        let length = Int(header >> 48 & 0xFFFF)
        let type = UInt8(truncatingIfNeeded: header >> 40)
        let flags = UInt8(truncatingIfNeeded: header >> 32)
        outstanding = length
        headerBytes = 0
        header = 0
        self.type = type
        switch type {
        case FrameType.data:
            return length > 0 || flags & 0x1 != 0 ? .fine : spend(1)
        case FrameType.headers:
            earn(4)
            isInFieldSection = flags & 0x4 == 0
            return .fine
        case FrameType.continuation:
            if flags & 0x4 != 0 { isInFieldSection = false }
            return spend(1)
        case FrameType.settings where length > Self.settingsCount * 6: return .flooding
        // A reset takes back a request that has cost far more than these others.
        case FrameType.resetStream: return spend(8)
        case FrameType.windowUpdate where expectedUpdates > 0:
            expectedUpdates -= 1
            return .fine
        default: return spend(1)
        }
    }
}
