import GateCore
import Synchronization

/// A bounded queue between tasks, which never wait, and threads, which do.
package final class JobQueue<Job: Sendable>: Sendable {
    package enum Admission {
        case accepted
        case full
        case closed
    }

    private struct State {
        /// Waiting jobs are those from `head` on; what was taken before is `nil`, so that nothing is kept alive.
        var jobs: [Job?] = []
        var head = 0
        /// Threads that wait and were not called yet.
        var idle = 0
        var closed = false
    }

    private let state = Mutex(State())
    private let count = Atomic<Int>(0)
    private let bell = Semaphore()
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    /// How many jobs wait. Kept beside the lock, so that who watches the queue does not hold up those who put into it.
    package var waiting: Int { count.load(ordering: .acquiring) }

    package func put(_ job: Job) -> Admission {
        let (admission, call) = state.withLock { state -> (Admission, Bool) in
            guard !state.closed else { return (.closed, false) }
            guard state.jobs.count - state.head < limit else { return (.full, false) }
            state.jobs.append(job)
            count.store(state.jobs.count - state.head, ordering: .releasing)
            guard state.idle > 0 else { return (.accepted, false) }
            state.idle -= 1
            return (.accepted, true)
        }
        if call { bell.signal() }
        return admission
    }

    /// Gives back what was just taken, to be the next; also where the queue is closed.
    package func putBack(_ job: Job) {
        let call = state.withLock { state -> Bool in
            if state.head > 0 {
                state.head -= 1
                state.jobs[state.head] = job
            } else {
                state.jobs.insert(job, at: 0)
            }
            count.store(state.jobs.count - state.head, ordering: .releasing)
            guard state.idle > 0 else { return false }
            state.idle -= 1
            return true
        }
        if call { bell.signal() }
    }

    package var isClosed: Bool { state.withLock { $0.closed } }

    /// Takes up to `count` jobs, at least one: waits for it. `nil` once the queue is closed and empty.
    package func take(upTo count: Int) -> [Job]? {
        while true {
            let (jobs, closed) = state.withLock { state -> ([Job?], Bool) in
                let jobs = remove(upTo: count, from: &state)
                if jobs.isEmpty, !state.closed { state.idle += 1 }
                return (jobs, state.closed)
            }
            if !jobs.isEmpty { return jobs.compactMap { $0 } }
            if closed { return nil }
            bell.wait()
        }
    }

    /// Takes what is there, up to `count`, without waiting.
    package func takeWaiting(upTo count: Int) -> [Job] {
        state.withLock { remove(upTo: count, from: &$0) }.compactMap { $0 }
    }

    /// Refuses new jobs from now on. What waits is still taken.
    package func close() {
        let idle = state.withLock { state in
            state.closed = true
            defer { state.idle = 0 }
            return state.idle
        }
        for _ in 0..<idle { bell.signal() }
    }

    private func remove(upTo most: Int, from state: inout State) -> [Job?] {
        let end = min(state.jobs.count, state.head + most)
        guard end > state.head else { return [] }
        var jobs: [Job?] = []
        if state.head == 0, end == state.jobs.count {
            // All of them at once: those who want to put theirs in wait for this lock.
            swap(&jobs, &state.jobs)
            count.store(0, ordering: .releasing)
            return jobs
        }
        jobs.reserveCapacity(end - state.head)
        for index in state.head..<end {
            jobs.append(state.jobs[index])
            state.jobs[index] = nil
        }
        state.head = end
        if end == state.jobs.count {
            state.jobs.removeAll(keepingCapacity: true)
            state.head = 0
        } else if end > 1024, end > state.jobs.count / 2 {
            state.jobs.removeFirst(end)
            state.head = 0
        }
        count.store(state.jobs.count - state.head, ordering: .releasing)
        return jobs
    }
}
