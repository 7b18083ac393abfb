import GateCore
import GateSQL
import Glibc
import Logging

/// A thread's work: takes transactions from the queue and runs them on its connection, one by one, again where they were in each other's way.
struct PostgresWorker: ~Copyable {
    private let pool: PostgresPool
    private var connection: PostgresConnection?

    init(_ pool: PostgresPool) { self.pool = pool }

    private var now: MonotonicInstant { pool.time.monotonic() }

    /// Works until the queue is closed and empty.
    mutating func run() {
        while true {
            if connection == nil, !pool.queue.isClosed, pool.condition.leavesWorkToOthers(at: now) {
                usleep(20_000)
                continue
            }
            guard let requests = pool.queue.take(upTo: 1) else { break }
            for request in requests { serve(request) }
        }
        drop()
    }

    private mutating func serve(_ request: any TransactionRequest) {
        let start = now
        guard start.since(request.since) < pool.options.queueTime || request.kind == .schema else {
            return request.fail(StorageError.busy(reason: "Postgres: all connections are in use"))
        }
        let end = start + (request.kind == .schema ? pool.options.schemaTime : pool.options.transactionTime)
        var attempt = Attempt(end: end)
        let outcome = pursue(request, &attempt)
        if attempt.holdsLane { pool.lane.signal() }
        switch outcome {
        case .done:
            if request.kind != .read { pool.writer.writeSucceeded() }
            request.succeed()
        case .failed(let error):
            if request.kind != .read { pool.writer.writeFailed(error) }
            request.fail(error)
        case .left: break
        }
    }

    /// How a request was tried so far.
    private struct Attempt {
        let end: MonotonicInstant
        var conflicts = 0
        var losses = 0
        var staleness = 0
        var isCareful = false
        /// Whether it has the lane of those that were often in others' way.
        var holdsLane = false
    }

    private enum Outcome {
        case done
        case failed(any Error)
        /// Nothing is left to do: it was answered, or somebody else does it.
        case left
    }

    /// Tries until it is decided.
    private mutating func pursue(_ request: any TransactionRequest, _ attempt: inout Attempt) -> Outcome {
        while true {
            let connection: PostgresConnection
            do throws(StorageError) {
                connection = try opened()
            } catch {
                guard attempt.losses == 0, pool.condition.connections > 0, !pool.queue.isClosed else { return .failed(error) }
                pool.queue.putBack(request)
                return .left
            }
            switch run(request, on: connection, attempt) {
            case .committed: return .done
            case .answered: return .left
            case .refused(let error): return .failed(error)
            case .wantsCare: attempt.isCareful = true
            case .conflict(let error):
                attempt.conflicts += 1
                pool.condition.countConflict()
                guard now < attempt.end else { return .failed(error) }
                makeWay(&attempt)
                guard now < attempt.end else { return .failed(error) }
            case .stale(let error, let unnamed):
                attempt.staleness += 1
                if unnamed, pool.condition.stopPreparingStatements() {
                    pool.log.notice("Postgres is behind a pooler that does not keep prepared statements: none are prepared from now on")
                }
                // Twice, since another thread may have prepared by names still.
                guard attempt.staleness <= 2 else { return .failed(error) }
                drop()
            case .lost(let error):
                drop()
                attempt.losses += 1
                guard attempt.losses <= 2, now < attempt.end else { return .failed(error) }
            }
        }
    }

    private enum Trial {
        case committed
        /// As ``committed``, and whoever asked knows it.
        case answered
        case refused(any Error)
        case wantsCare
        case conflict(StorageError)
        case stale(StorageError, unnamed: Bool)
        /// The connection is gone, and nothing is committed.
        case lost(StorageError)
    }

    private mutating func run(_ request: any TransactionRequest, on connection: PostgresConnection, _ attempt: borrowing Attempt) -> Trial {
        let named = pool.condition.preparesStatements && request.kind != .schema
        let statementTime = (request.kind == .schema ? pool.options.schemaTime : pool.options.statementTime) + Self.patience
        connection.silenceLimit = statementTime - Self.patience / 2
        // Who was not heard of for a while may be gone without a word: that is found out before anything is asked that may take its time.
        if now.since(connection.lastUsed) >= Self.restTime {
            do throws(PostgresFailure) { try connection.probe(until: now + pool.options.connectTime) } catch { return .lost(error.error) }
        }
        let transaction = PostgresTransaction(
            connection, request.kind, pool.beginning(request.kind), isCareful: attempt.isCareful, named: named,
            constraints: pool.constraints, statementTime: statementTime, end: attempt.end + Self.patience, time: pool.time)
        var thrown: (any Error)?
        do {
            if request.kind == .schema { try transaction.lockSchema() }
            try request.run(transaction)
        } catch {
            thrown = error
        }
        if case .spoilt(let error) = transaction.fate, thrown as? StorageError != error { transaction.bodyWentOn() }
        switch transaction.fate {
        case .sound: break
        case .lost(let error): return .lost(error)
        case .conflict(let error):
            rollBack(connection, until: transaction.limit)
            return .conflict(error)
        case .stale(let error, let unnamed):
            rollBack(connection, until: transaction.limit)
            return .stale(error, unnamed: unnamed)
        case .wantsCare(let error):
            rollBack(connection, until: transaction.limit)
            return attempt.isCareful ? .refused(thrown ?? error) : .wantsCare
        case .spoilt(let error):
            rollBack(connection, until: transaction.limit)
            return .refused(thrown ?? error)
        }
        if let thrown {
            if transaction.hasBegun { rollBack(connection, until: transaction.limit) }
            return .refused(thrown)
        }
        guard transaction.hasBegun else { return .committed }
        if request.kind == .read {
            // There is nothing that its end could still go wrong for.
            request.succeed()
            _ = commit(connection, until: transaction.limit)
            return .answered
        }
        let trial = commit(connection, until: transaction.limit)
        if request.kind == .schema, case .committed = trial, !connection.isBroken {
            try? pool.constraints.learn(from: connection, until: transaction.limit)
        }
        return trial
    }

    /// How much longer than the server is told to take is waited for its word.
    private static let patience = Duration.seconds(1)

    /// After so long without a word from the server it is asked whether it is there.
    private static let restTime = Duration.seconds(10)

    private mutating func commit(_ connection: PostgresConnection, until end: MonotonicInstant) -> Trial {
        do throws(PostgresFailure) {
            let result = try connection.run(script: "COMMIT", until: end)
            guard result.last?.command == "COMMIT" else {
                return .refused(StorageError.unavailable(reason: "Postgres gave the transaction up"))
            }
            return .committed
        } catch {
            if error.isConflict { return .conflict(error.error) }
            // Lost now, it may be committed or not: nobody may try it again.
            if connection.isBroken { drop() }
            return .refused(error.error)
        }
    }

    private mutating func rollBack(_ connection: PostgresConnection, until end: MonotonicInstant) {
        do throws(PostgresFailure) {
            try connection.run(script: "ROLLBACK", until: end)
        } catch {
            drop()
            return
        }
        if !connection.isIdle { drop() }
    }

    /// Waits a moment, longer each time and for no fixed time. Who was in the way four times goes on alone among its like: with many that
    /// change the same row, one of them always comes through.
    private func makeWay(_ attempt: inout Attempt) {
        if attempt.conflicts >= 4, !attempt.holdsLane {
            while !pool.lane.tryWait() {
                guard now < attempt.end else { return }
                usleep(1000)
            }
            attempt.holdsLane = true
        }
        let longest = 1000 << min(attempt.conflicts, 5)
        usleep(UInt32(pool.entropy.uint64() % UInt64(longest)))
    }

    private mutating func opened() throws(StorageError) -> PostgresConnection {
        if let connection {
            guard connection.isBroken || !pool.condition.trusts(connection.madeAt) else { return connection }
            drop()
        }
        if case .refused(let failure) = pool.condition.askToConnect(at: now, limit: pool.options.connectTime) { throw failure }
        do throws(StorageError) {
            let fresh = try pool.connect()
            pool.condition.connected()
            connection = fresh
            return fresh
        } catch {
            pool.condition.connectingFailed(error, at: now, lot: Double(pool.entropy.uint64() >> 11) * 0x1p-53)
            throw error
        }
    }

    private mutating func drop() {
        guard let dropped = connection else { return }
        if dropped.isSilent { pool.condition.distrust(at: now) }
        connection = nil
        pool.condition.disconnected()
    }
}
