import CPostgres
import GateCore

/// The outcome of a statement, in libpq's memory. Confined to its connection's thread.
final class PostgresResult {
    private let library: LibPQ
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer, _ library: LibPQ) {
        self.pointer = pointer
        self.library = library
    }

    deinit { functions.pointee.clear(pointer) }

    var functions: UnsafeMutablePointer<gate_libpq> { library.functions }

    var rows: Int { Int(functions.pointee.ntuples(pointer)) }

    /// `INSERT 0 1`, `COMMIT` and the like.
    var command: String { String(cString: functions.pointee.cmdStatus(pointer)) }

    /// The number of rows inserted, changed or deleted.
    var changed: Int { Int(String(cString: functions.pointee.cmdTuples(pointer))) ?? 0 }

    /// Whether the server has done with a pipeline.
    var endsPipeline: Bool { Int(functions.pointee.resultStatus(pointer)) == GATE_PIPELINE_SYNC }

    /// What went wrong, if it did.
    var failure: PostgresFailure? {
        switch Int(functions.pointee.resultStatus(pointer)) {
        // What follows a failure in a pipeline is passed over, and tells nothing of its own.
        case GATE_COMMAND_OK, GATE_TUPLES_OK, GATE_PIPELINE_ABORTED: return nil
        default: break
        }
        guard let code = field(GATE_DIAG_SQLSTATE) else {
            return PostgresFailure(.unavailable(reason: "the connection to Postgres was lost"))
        }
        var constraint: (schema: String, name: String)?
        if let schema = field(GATE_DIAG_SCHEMA), let name = field(GATE_DIAG_CONSTRAINT) { constraint = (schema, name) }
        let message = "Postgres: \(field(GATE_DIAG_MESSAGE) ?? "no message")"
        return PostgresFailure(
            code: code, PostgresCode.error(code, message, constraint: constraint?.name), constraint: constraint)
    }

    private func field(_ name: Int) -> String? {
        functions.pointee.resultErrorField(pointer, Int32(name)).map { String(cString: $0) }
    }
}
