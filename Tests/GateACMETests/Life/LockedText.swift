import Synchronization

/// Remembers the first text that it is asked about.
final class LockedText: Sendable {
    private let text = Mutex<String?>(nil)

    func firstOr(_ other: String) -> String {
        text.withLock { text in
            if text == nil { text = other }
            return text!
        }
    }
}
