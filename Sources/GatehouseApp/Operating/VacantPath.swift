import GateCore
import Glibc

/// A name under which nothing that is there is overwritten.
enum VacantPath {
    /// - Returns: `path`, or if there is something, the first that is free of `path-SECONDS`, `path-SECONDS-2`, and so on.
    static func of(_ path: String, at now: Timestamp) -> String {
        guard isTaken(path) else { return path }
        let dated = "\(path)-\(now.seconds)"
        var (vacant, number) = (dated, 1)
        while isTaken(vacant) {
            number += 1
            vacant = "\(dated)-\(number)"
        }
        return vacant
    }

    private static func isTaken(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }
}
