package import GateBackup
import GateCore

extension BackupError {
    /// What a database's failure means for its backup.
    init(_ error: StorageError) {
        let kind: Kind =
            switch error {
            case .full: .full
            case .readOnly: .notPermitted
            case .corrupt: .damaged
            case .schema: .newer
            case .closed: .cancelled
            case .busy, .unavailable: .busy
            case .inputOutput, .uniqueViolation, .constraintViolation, .misuse: .failed
            }
        self.init(kind, kind == .cancelled ? "the backup was broken off: the server stops" : error.description)
    }
}

extension CommandFailure {
    /// The code for a backup that was not made, or not restored.
    package init(_ error: BackupError) {
        let code: Code =
            switch error.kind {
            case .damaged, .foreign, .failed: .failure
            case .newer: .configuration
            case .wrongKey, .notPermitted: .permission
            case .taken, .full: .cannotCreate
            case .missing, .invalid: .usage
            case .busy, .cancelled: .unavailable
            }
        self.init(code, error.reason.prefix(1).uppercased() + error.reason.dropFirst())
    }
}
