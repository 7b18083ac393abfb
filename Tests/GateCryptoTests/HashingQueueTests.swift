import GateCore
import Testing

@testable import GateCrypto

/// The queue as a value: no thread, no time passes.
@Suite("The password hashing queue")
struct HashingQueueTests {
    func job(_ id: UInt64) -> HashingJob {
        HashingJob(id: id, password: Secret("p"), setting: "", prehash: false) { _ in }
    }

    func admitted(_ admission: HashingQueue.Admission) -> Bool { if case .queued = admission { true } else { false } }

    func refusal(_ admission: HashingQueue.Admission) -> PasswordHashingError? {
        if case .refused(let error) = admission { error } else { nil }
    }

    func taken(_ order: HashingQueue.Order) -> UInt64? { if case .work(let job) = order { job.id } else { nil } }

    @Test("As many are admitted as there are free threads and places, and served in their order")
    func bound() {
        var queue = HashingQueue(threads: 2, limit: 3, expected: .milliseconds(250))
        for id: UInt64 in 1...5 { #expect(admitted(queue.admit(job(id)))) }
        #expect(refusal(queue.admit(job(6))) != nil)
        #expect(taken(queue.next()) == 1)
        // The first thread took a job that it was counted for: no place became free.
        #expect(refusal(queue.admit(job(7))) != nil)
        #expect(taken(queue.next()) == 2)
        #expect(queue.statistics.queued == 3)
        #expect(refusal(queue.admit(job(8))) != nil)
        queue.finished(after: .milliseconds(250))
        #expect(taken(queue.next()) == 3)
        #expect(admitted(queue.admit(job(9))))
        #expect(queue.statistics.refused == 3)
    }

    @Test(
        "Retry-After is the time the queue will take, in whole seconds, at least one",
        arguments: [(250, 4, 100, 7), (250, 1, 100, 26), (1, 4, 8, 1), (1000, 2, 3, 3)])
    func retryAfter(milliseconds: Int, threads: Int, limit: Int, seconds: Int) {
        var queue = HashingQueue(threads: threads, limit: limit, expected: .milliseconds(milliseconds))
        for id in 0..<UInt64(limit + threads) { #expect(admitted(queue.admit(job(id)))) }
        #expect(refusal(queue.admit(job(999))) == .overloaded(retryAfter: .seconds(seconds)))
    }

    @Test("The estimate follows what is measured")
    func movingAverage() {
        var queue = HashingQueue(threads: 1, limit: 1, expected: .milliseconds(100))
        for id: UInt64 in 0..<100 {
            _ = queue.admit(job(id))
            _ = queue.next()
            queue.finished(after: .milliseconds(900))
            if id == 0 { #expect(queue.statistics.averageDuration == .milliseconds(200)) }
        }
        #expect((880...900).contains(queue.statistics.averageDuration.wholeMilliseconds))
    }

    @Test("A job can be withdrawn until a thread has begun it, once")
    func withdrawal() {
        var queue = HashingQueue(threads: 1, limit: 2, expected: .zero)
        for id: UInt64 in 1...3 { _ = queue.admit(job(id)) }
        #expect(taken(queue.next()) == 1)
        #expect(queue.withdraw(1) == nil)
        #expect(queue.withdraw(2)?.id == 2)
        #expect(queue.withdraw(2) == nil)
        #expect(queue.statistics.queued == 1)
        #expect(queue.statistics.cancelled == 1)
        #expect(admitted(queue.admit(job(4))))
        #expect(taken(queue.next()) == 3)
        #expect(taken(queue.next()) == 4)
    }

    @Test("A wake-up whose job was withdrawn only waits on")
    func spuriousWakeUp() {
        var queue = HashingQueue(threads: 1, limit: 1, expected: .zero)
        _ = queue.admit(job(1))
        _ = queue.withdraw(1)
        guard case .wait = queue.next() else {
            Issue.record("There is nothing to do but to wait")
            return
        }
    }

    @Test("Closing hands back all who wait, refuses all who come, and ends the threads")
    func closing() {
        var queue = HashingQueue(threads: 1, limit: 5, expected: .zero)
        for id: UInt64 in 1...4 { _ = queue.admit(job(id)) }
        #expect(taken(queue.next()) == 1)
        #expect(queue.close().map(\.id) == [2, 3, 4])
        #expect(queue.close().isEmpty)
        #expect(refusal(queue.admit(job(5))) == .closed)
        #expect(queue.statistics.queued == 0)
        guard case .end = queue.next() else {
            Issue.record("The thread has to end")
            return
        }
    }

    @Test("Without a single thread every call is refused, none waits for ever")
    func noThreads() {
        var queue = HashingQueue(threads: 1, limit: 5, expected: .zero)
        #expect(queue.threadEnded().isEmpty)
        #expect(refusal(queue.admit(job(1))) == .closed)
    }
}
