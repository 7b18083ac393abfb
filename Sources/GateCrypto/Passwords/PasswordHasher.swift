package import GateCore
import Synchronization

/// Why a password was not hashed. Neither says anything about the password.
package enum PasswordHashingError: Error, Hashable, Sendable {
    /// More are waiting than the queue takes. `retryAfter` is in whole seconds, at least one: how long the queue will take.
    case overloaded(retryAfter: Duration)
    /// No answer will come: the hasher is shut down, or the task that asked was cancelled.
    case closed
}

/// bcrypt on threads of its own, so that neither an event loop nor the cooperative pool ever waits for a hash.
///
/// Passwords over 72 bytes, or with a NUL, would be cut by bcrypt: they go in as the base64 of their SHA-384 and are marked
/// `sha384:` in what is stored. All others go in as they are, so their hashes are plain `$2b$` and portable.
package final class PasswordHasher: Sendable {
    package let cost: Int
    private let entropy: any Entropy
    private let threads: HashingThreads
    private let nextJob = Atomic<UInt64>(0)

    /// From tests' speed to several seconds for one hash.
    package static let permittedCosts = 4...16

    /// - Parameters:
    ///   - cost: the binary logarithm of the rounds, within ``permittedCosts``; 12 takes some 200 ms.
    ///   - threads: how many hash at once; as many as there are cores uses them all.
    ///   - queueLimit: how many may wait beyond those being hashed.
    package init(cost: Int = 12, threads: Int, queueLimit: Int, entropy: any Entropy, time: any TimeSource = SystemTime()) {
        precondition(Self.permittedCosts.contains(cost) && threads > 0 && queueLimit >= 0)
        self.cost = cost
        self.entropy = entropy
        // Before the first is measured: about what a core of today takes.
        self.threads = HashingThreads(count: threads, queueLimit: queueLimit, expected: .microseconds(50 << cost), time: time)
    }

    deinit { threads.close() }

    package func hash(_ password: Secret) async throws(PasswordHashingError) -> PasswordHash {
        let prehash = Bcrypt.needsPrehash(password)
        let setting = Bcrypt.setting(cost: cost, salt: entropy.bytes(16))
        // With a setting of our own, crypt(3) can only be short of something.
        guard let text = try await run(password, setting: setting, prehash: prehash) else {
            throw .overloaded(retryAfter: .seconds(1))
        }
        return PasswordHash(text: prehash ? Bcrypt.prehashMarker + text : text)
    }

    /// Whether `password` is the one that `hash` was made of. Hashes of variant a and y, made elsewhere, verify too.
    ///
    /// Without a hash, with one that cannot be read, or whose cost is not permitted, the answer is no, after a hash of our own
    /// cost: who asks cannot tell by the time. So it is for a password over 72 bytes against an unmarked hash, made elsewhere
    /// of the first 72.
    package func verify(_ password: Secret, against hash: PasswordHash?) async throws(PasswordHashingError) -> Bool {
        let work = verification(of: password, against: hash)
        let text = try await run(password, setting: work.setting, prehash: work.prehash)
        guard let text, let expected = work.expected else { return false }
        // The last 31 characters are the hash; the salt's last one has bits that not every implementation sets alike.
        return constantTimeEqual(Array(text.utf8.suffix(31)), Array(expected.utf8.suffix(31)))
    }

    /// What is hashed in order to verify, and what has to come out: `nil` where nothing can, and only the time is spent.
    func verification(of password: Secret, against hash: PasswordHash?) -> (setting: String, prehash: Bool, expected: String?) {
        let prehash = Bcrypt.needsPrehash(password)
        guard let stored = hash.flatMap(Bcrypt.init), Self.permittedCosts.contains(stored.cost) else {
            return (Bcrypt.unmatched(cost: cost), prehash, nil)
        }
        guard stored.isPrehashed == prehash else { return (Bcrypt.unmatched(cost: stored.cost), prehash, nil) }
        return (stored.text, prehash, stored.text)
    }

    /// Whether the hash was made with another cost, or cannot be read: then hash the password anew at the next sign-in.
    package func needsRehash(_ hash: PasswordHash) -> Bool { Bcrypt(hash)?.cost != cost }

    /// Answers ``PasswordHashingError/closed`` to those who wait and to all who come, and returns when the threads have ended:
    /// after the hashes that were begun.
    package func shutdown() async {
        threads.close()
        await threads.ended()
    }

    private func run(_ password: Secret, setting: String, prehash: Bool) async throws(PasswordHashingError) -> String? {
        let id = nextJob.wrappingAdd(1, ordering: .relaxed).newValue
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                threads.submit(
                    HashingJob(id: id, password: password, setting: setting, prehash: prehash) { continuation.resume(returning: $0) })
                // The handler may have run before there was anything to withdraw.
                if Task.isCancelled { threads.withdraw(id) }
            }
        } onCancel: {
            threads.withdraw(id)
        }
        return try result.get()
    }
}

extension PasswordHasher {
    package struct Statistics: Hashable, Sendable {
        /// Those that have not ended.
        package internal(set) var threads: Int
        /// Waiting for a thread.
        package internal(set) var queued = 0
        package internal(set) var running = 0
        /// Since the start: hashed, turned away by a full queue, withdrawn by their tasks.
        package internal(set) var completed = 0
        package internal(set) var refused = 0
        package internal(set) var cancelled = 0
        /// Of one hash on its thread, a moving average; an estimate before the first.
        package internal(set) var averageDuration: Duration

        init(threads: Int, averageDuration: Duration) {
            self.threads = threads
            self.averageDuration = averageDuration
        }
    }

    package var statistics: Statistics { threads.statistics }

    /// How many wait for a thread.
    package var queued: Int { statistics.queued }
}
