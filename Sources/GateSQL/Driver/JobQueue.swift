package import GateCore
package import Synchronization

/// A bounded queue between tasks, which never wait, and threads, which do.
///
/// Inlinable, so that it is compiled for the jobs of its users, in other modules: compiled for any, each access to a job goes through
/// metadata, and durable writes were half as many.
package final class JobQueue<Job: Sendable>: Sendable {
    package enum Admission {
        case accepted
        case full
        case closed
    }

    @usableFromInline struct State {
        /// Waiting jobs are those from `head` on; what was taken before is `nil`, so that nothing is kept alive.
        @usableFromInline var jobs: [Job?] = []
        @usableFromInline var head = 0
        /// Threads that wait and were not called yet.
        @usableFromInline var idle = 0
        @usableFromInline var closed = false

        @usableFromInline init() {}
    }

    @usableFromInline let state = Mutex(State())
    @usableFromInline let count = Atomic<Int>(0)
    @usableFromInline let bell = Semaphore()
    @usableFromInline let limit: Int

    @inlinable package init(limit: Int) { self.limit = limit }

    /// How many jobs wait. Kept beside the lock, so that who watches the queue does not hold up those who put into it.
    @inlinable package var waiting: Int { count.load(ordering: .acquiring) }

    @inlinable package func put(_ job: Job) -> Admission {
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
    @inlinable package func putBack(_ job: Job) {
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

    @inlinable package var isClosed: Bool { state.withLock { $0.closed } }

    /// Takes up to `count` jobs, at least one: waits for it. `nil` once the queue is closed and empty.
    @inlinable package func take(upTo count: Int) -> [Job]? {
        var jobs: [Job?] = []
        return move(upTo: count, into: &jobs) ? jobs.compactMap { $0 } : nil
    }

    /// As ``take(upTo:)``, into `jobs`, which is empty.
    @inlinable func move(upTo most: Int, into jobs: inout [Job?]) -> Bool {
        while true {
            let isClosed = state.withLock { state in
                move(upTo: most, from: &state, into: &jobs)
                if jobs.isEmpty, !state.closed { state.idle += 1 }
                return state.closed
            }
            if !jobs.isEmpty { return true }
            if isClosed { return false }
            bell.wait()
        }
    }

    @inlinable func moveWaiting(upTo most: Int, into jobs: inout [Job?]) {
        state.withLock { move(upTo: most, from: &$0, into: &jobs) }
    }

    /// Refuses new jobs from now on. What waits is still taken.
    @inlinable package func close() {
        let idle = state.withLock { state in
            state.closed = true
            defer { state.idle = 0 }
            return state.idle
        }
        for _ in 0..<idle { bell.signal() }
    }

    @inlinable func move(upTo most: Int, from state: inout State, into jobs: inout [Job?]) {
        let end = min(state.jobs.count, state.head + most)
        guard end > state.head else { return }
        if state.head == 0, end == state.jobs.count {
            // All of them at once: those who want to put theirs in wait for this lock.
            swap(&jobs, &state.jobs)
        } else {
            for index in state.head..<end {
                jobs.append(nil)
                swap(&jobs[jobs.count - 1], &state.jobs[index])
            }
            state.head = end
            if end == state.jobs.count {
                state.jobs.removeAll(keepingCapacity: true)
                state.head = 0
            } else if end > 1024, end > state.jobs.count / 2 {
                state.jobs.removeFirst(end)
                state.head = 0
            }
        }
        count.store(state.jobs.count - state.head, ordering: .releasing)
    }
}
