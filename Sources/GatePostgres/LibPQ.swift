import CPostgres
import GateCore

/// libpq, opened when it is first asked for.
///
/// Sendable: the table of functions is written before anybody is given it, and is never freed.
struct LibPQ: @unchecked Sendable {
    let functions: UnsafeMutablePointer<gate_libpq>

    private static let opened: Result<LibPQ, StorageError> = {
        let functions = UnsafeMutablePointer<gate_libpq>.allocate(capacity: 1)
        guard let problem = gate_libpq_open(file, functions) else { return .success(LibPQ(functions: functions)) }
        let reason = String(cString: problem)
        functions.deallocate()
        return .failure(
            .unavailable(reason: "Postgres needs \(file), which cannot be opened: install the package libpq5 (\(reason))"))
    }()

    private static let file = "libpq.so.5"

    /// - Throws: `.unavailable`, naming the package, where the library is missing.
    static func open() throws(StorageError) -> LibPQ { try opened.get() }

    /// As its makers write it: 15.4.
    var version: String {
        let number = functions.pointee.libVersion()
        return "\(number / 10_000).\(number % 10_000)"
    }
}
