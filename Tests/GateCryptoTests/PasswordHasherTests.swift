import GateCore
import Glibc
import Testing

@testable import GateCrypto

@Suite("Password hashing", .timeLimit(.minutes(2)))
struct PasswordHasherTests {
    let hasher = PasswordHasher(cost: 4, threads: 2, queueLimit: 100, entropy: SystemEntropy())

    @Test(
        "CHECKLIST 24: passwords of any length and content count to their last byte",
        arguments: [
            Array("short".utf8), Array(repeating: 0x61, count: 64), Array(repeating: 0x61, count: 71), Array(repeating: 0x61, count: 72),
            Array(repeating: 0x61, count: 73), Array(repeating: 0x61, count: 100), Array(repeating: 0x61, count: 1000),
            Array("nul\0inside".utf8), [0], Array("Pässwörter sind schön 🔑🔑🔑".utf8), Array(String(repeating: "ü", count: 36).utf8),
            Array(String(repeating: "🔑", count: 19).utf8), [0xFF, 0xFE, 0x80],
        ] as [[UInt8]])
    func lastByte(_ password: [UInt8]) async throws {
        let hash = try await hasher.hash(Secret(password))
        #expect(try await hasher.verify(Secret(password), against: hash))
        var last = password
        last[last.count - 1] ^= 1
        for other in [last, Array(password.dropLast()), password + [0x61], password + [0], Array(password.prefix { $0 != 0 }.dropLast())] {
            #expect(try await !hasher.verify(Secret(other), against: hash), "\(other.count) bytes against \(password.count)")
        }
    }

    @Test("CHECKLIST 24: 72 bytes go into bcrypt as they are, 73 are hashed first, and the stored text says which")
    func marker() async throws {
        let plain = try await hasher.hash(Secret([UInt8](repeating: 0x61, count: 72)))
        let long = try await hasher.hash(Secret([UInt8](repeating: 0x61, count: 73)))
        let nul = try await hasher.hash(Secret([0]))
        #expect(plain.text.hasPrefix("$2b$04$") && plain.text.utf8.count == 60)
        #expect(long.text.hasPrefix("sha384:$2b$04$") && long.text.utf8.count == 67)
        #expect(nul.text.hasPrefix("sha384:$2b$04$"))
    }

    @Test("CHECKLIST 24: the digest of a long password is no password")
    func digestIsNoPassword() async throws {
        let password = [UInt8](repeating: 0x62, count: 80)
        let hash = try await hasher.hash(Secret(password))
        // The base64 of the SHA-384, as another implementation computes it: what bcrypt was given.
        let digest = "dwGXWd37CX1kJXRPcDM80kA3PSSERT7toMf2xnk0MU0dAJPNo1yZqODHnp5cBVY4"
        let unmarked = PasswordHash(text: String(hash.text.dropFirst("sha384:".count)))
        #expect(try await hasher.verify(Secret(digest), against: unmarked))
        #expect(try await !hasher.verify(Secret(digest), against: hash))
        #expect(try await !hasher.verify(Secret(password), against: unmarked))
    }

    @Test("CHECKLIST 24: a hash made elsewhere of a cut password does not verify with the whole")
    func cutElsewhere() async throws {
        let hash = PasswordHash(text: "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui")
        let cut = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        #expect(try await hasher.verify(Secret(cut), against: hash))
        #expect(try await !hasher.verify(Secret(cut + "chars after 72 are ignored"), against: hash))
    }

    @Test("CHECKLIST 20: without a hash the answer is no, after the work of one")
    func unknownUser() async throws {
        #expect(try await !hasher.verify(Secret("any"), against: nil))
        #expect(hasher.statistics.completed == 1)
        let known = try await hasher.hash(Secret("right"))
        for password in ["any", String(repeating: "long", count: 30)] {
            let work = hasher.verification(of: Secret(password), against: nil)
            #expect(work.expected == nil)
            #expect(work.setting.prefix(7) == known.text.prefix(7), "variant and cost are those of a known user's hash")
            #expect(work.prehash == (password != "any"))
        }
    }

    @Test("CHECKLIST 20: hashing for nobody takes a processor as long as hashing for somebody")
    func timeOfUnknownUser() throws {
        let workspace = BcryptWorkspace()
        let settings = [Bcrypt.unmatched(cost: 8), Bcrypt.setting(cost: 8, salt: SystemEntropy().bytes(16))]
        var shortest = [Int.max, Int.max]
        for _ in 0..<5 {
            for (index, setting) in settings.enumerated() {
                // The thread's own clock: what else the machine does is not counted.
                let begin = clock(CLOCK_THREAD_CPUTIME_ID)
                #expect(workspace.hash(Secret("password"), setting: setting, prehash: false) != nil)
                shortest[index] = min(shortest[index], clock(CLOCK_THREAD_CPUTIME_ID) - begin)
            }
        }
        let ratio = Double(shortest[0]) / Double(shortest[1])
        #expect((0.7...1.4).contains(ratio), "An unknown user took \(ratio) of the time of a known one")
    }

    /// In nanoseconds.
    private func clock(_ id: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(id, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    @Test("CHECKLIST 20: no password verifies against no hash")
    func dummyNeverMatches() async throws {
        for password in ["", "a", String(repeating: "x", count: 100), "\0"] {
            #expect(try await !hasher.verify(Secret(password), against: nil))
        }
    }

    @Test(
        "What is no bcrypt hash verifies nothing, and is to be made anew",
        arguments: [
            "", "$", "*0", "*1", "x", "sha384:", "$2b$04$", "$2b$04$short", "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
            "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW", "$2b$4$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW1",
            "$2c$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2b$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$05$CCCCCCCCCCCCCCCCCCCC:.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "sha512:$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$6$salt$hash", "plaintext", "U*U", "sha384:sha384:$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ])
    func unreadable(text: String) async throws {
        let hash = PasswordHash(text: text)
        #expect(try await !hasher.verify(Secret("U*U"), against: hash))
        #expect(try await !hasher.verify(Secret(text), against: hash))
        #expect(hasher.needsRehash(hash))
    }

    @Test(
        "A hash of another cost is to be made anew",
        arguments: [
            ("$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false),
            ("$2y$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false),
            ("sha384:$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false),
            ("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true),
        ])
    func rehash(text: String, needed: Bool) { #expect(hasher.needsRehash(PasswordHash(text: text)) == needed) }

    @Test("Two hashes of one password differ: each has its salt")
    func salts() async throws {
        let first = try await hasher.hash(Secret("same"))
        let second = try await hasher.hash(Secret("same"))
        #expect(first != second)
        #expect(first.text.prefix(29) != second.text.prefix(29))
    }

    @Test("CHECKLIST 43: a hash is never shown by printing it")
    func redacted() {
        let hash = PasswordHash(text: "$2b$04$hash")
        var dumped = ""
        dump(hash, to: &dumped)
        for shown in ["\(hash)", String(reflecting: hash), String(describing: [hash]), String(describing: Optional(hash)), dumped] {
            #expect(!shown.contains("hash") && shown.contains("redacted"))
        }
    }

    @Test("A full queue is refused with the time to come back, and all who were admitted are answered")
    func overload() async throws {
        let hasher = PasswordHasher(cost: 10, threads: 1, queueLimit: 2, entropy: SystemEntropy())
        let results = await withTaskGroup(of: PasswordHashingError?.self) { group in
            for _ in 0..<60 {
                group.addTask {
                    do throws(PasswordHashingError) {
                        _ = try await hasher.hash(Secret("p"))
                        return nil
                    } catch { return error }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let refused = results.compactMap(\.self)
        #expect(refused.count >= 1)
        for error in refused {
            guard case .overloaded(let retryAfter) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(retryAfter >= .seconds(1) && retryAfter == .seconds(retryAfter.components.seconds))
        }
        #expect(hasher.statistics.completed == 60 - refused.count)
        #expect(hasher.statistics.refused == refused.count)
        #expect(hasher.queued == 0)
    }

    /// A hasher whose one thread has begun with `first`, and goes on when the gate is opened.
    private func occupied(
        _ body: (PasswordHasher, Gate, _ first: Task<PasswordHash, any Error>) async throws -> Void
    ) async throws {
        let gate = Gate()
        defer { gate.open() }
        let hasher = PasswordHasher(cost: 4, threads: 1, queueLimit: 10, entropy: SystemEntropy(), time: gate)
        let first = Task { try await hasher.hash(Secret("first")) }
        try await withTaskCancellationHandler {
            try await until { hasher.statistics.running == 1 }
            try await body(hasher, gate, first)
        } onCancel: {
            // At the time limit: what waits for the thread can then fail instead of waiting on.
            gate.open()
        }
    }

    /// The condition stays once it is reached; the suite's time limit bounds the wait.
    private func until(_ condition: () -> Bool) async throws {
        while !condition() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    @Test("A cancelled task's job leaves the queue at once, unhashed")
    func cancellation() async throws {
        try await occupied { hasher, gate, first in
            let task = Task { try await hasher.hash(Secret("p")) }
            try await until { hasher.queued == 1 }
            task.cancel()
            await #expect(throws: PasswordHashingError.closed) { try await task.value }
            #expect(hasher.queued == 0)
            gate.open()
            _ = try await first.value
            #expect(hasher.statistics.completed == 1)
            #expect(hasher.statistics.cancelled == 1)
        }
    }

    @Test("A task cancelled before it asks gets no hash")
    func cancelledBefore() async throws {
        try await occupied { hasher, gate, first in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await hasher.hash(Secret("p"))
            }
            await #expect(throws: PasswordHashingError.closed) { try await task.value }
            gate.open()
            _ = try await first.value
            #expect(hasher.statistics.completed == 1)
        }
    }

    @Test("What a thread has begun is finished although its task is cancelled")
    func cancelledWhileHashing() async throws {
        try await occupied { hasher, gate, first in
            first.cancel()
            gate.open()
            _ = try await first.value
            #expect(hasher.statistics.completed == 1 && hasher.statistics.cancelled == 0)
        }
    }

    @Test("Shutting down finishes what was begun, answers those who wait, refuses who comes, and ends the threads")
    func shutdown() async throws {
        try await occupied { hasher, gate, first in
            let waiting = Task { try await hasher.hash(Secret("p")) }
            try await until { hasher.queued == 1 }
            let down = Task { await hasher.shutdown() }
            await #expect(throws: PasswordHashingError.closed) { try await waiting.value }
            #expect(hasher.statistics.running == 1)
            await #expect(throws: PasswordHashingError.closed) { try await hasher.hash(Secret("p")) }
            await #expect(throws: PasswordHashingError.closed) { try await hasher.verify(Secret("p"), against: nil) }
            gate.open()
            #expect(try await first.value.text.hasPrefix("$2b$04$"))
            await down.value
            #expect(hasher.statistics.threads == 0)
            await hasher.shutdown()
        }
    }

    @Test("The threads give way to all others: their niceness is ten more than the process's")
    func niceness() async throws {
        let hasher = PasswordHasher(cost: 4, threads: 3, queueLimit: 10, entropy: SystemEntropy())
        let own = getpriority(Int32(PRIO_PROCESS.rawValue), ownThread)
        try await until { threadNicenesses().count { $0 == min(19, own + HashingThreads.niceness) } >= 3 }
        #expect(threadNicenesses().contains(own))
        await hasher.shutdown()
    }

    /// The main thread, whose priority nobody changes.
    private var ownThread: id_t { id_t(getpid()) }

    /// Of every thread of this process, as getpriority(2) tells it.
    private func threadNicenesses() -> [Int32] {
        FolderContents.names(in: "/proc/self/task").compactMap(id_t.init).map { getpriority(Int32(PRIO_PROCESS.rawValue), $0) }
    }
}
