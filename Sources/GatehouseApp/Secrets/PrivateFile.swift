import Glibc

/// A file that nobody but its owner may read or change.
struct PrivateFile {
    let path: String
    /// For a file whose content cannot be read.
    let cure: String
    /// What more than `chmod` is to be done where others could read it, if anything.
    var remedy: String?

    /// `nil`: there is no file.
    func text() throws(SecretsError) -> String? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("cannot be opened (\(String(cString: strerror(errno))))", "run gatehouse as the user who owns it")
        }
        var status = stat()
        fstat(descriptor, &status)
        close(descriptor)
        guard status.st_mode & S_IFMT == S_IFREG else { throw failure("is no file", "move it away") }
        guard status.st_mode & 0o077 == 0 else {
            throw failure(
                "others on this machine can read or change it",
                "chmod 600 \(path)" + (remedy.map { ", and if they may have: \($0)" } ?? ""))
        }
        do throws(ConfigurationFault) { return try TextFile(path: path).text } catch { throw failure(error.problem, cure) }
    }

    private func failure(_ problem: String, _ cure: String) -> SecretsError { SecretsError(path: path, problem: problem, cure: cure) }
}
