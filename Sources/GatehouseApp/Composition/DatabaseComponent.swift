import GateAPI
import GateCore
import GateSQL
import Logging
import Synchronization

/// The database's health, as the health calls tell of it. What is wrong is logged once when it begins, and once when it ends.
final class DatabaseComponent: HealthComponent {
    let name = "database"
    private let database: any ServedDatabase
    private let log: Logger
    private let lastFailure = Mutex<StorageError?>(nil)

    init(database: any ServedDatabase, log: Logger) {
        self.database = database
        self.log = log
    }

    func check() async -> ComponentHealth {
        switch await database.health() {
        case .ok(let latency):
            note(nil)
            return ComponentHealth(status: .healthy, latency: latency)
        case .failing(let error):
            note(error)
            return ComponentHealth(status: .unhealthy, latency: .zero)
        }
    }

    private func note(_ failure: StorageError?) {
        let before = lastFailure.withLock { last in
            defer { last = failure }
            return last
        }
        if let failure, failure != before {
            log.error("The database is unhealthy", metadata: ["error": "\(failure)"])
        } else if failure == nil, before != nil {
            log.notice("The database is healthy again")
        }
    }
}
