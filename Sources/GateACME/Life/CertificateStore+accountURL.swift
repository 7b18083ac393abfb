import GateCore

extension CertificateStore {
    /// The URL of the account with an authority, for those who only look: a file that cannot be understood stays where it is.
    ///
    /// - Returns: `nil` where no account is registered, or where it cannot be read.
    package func accountURL(_ directory: String) -> String? {
        guard let bytes = try? FileReading.read(accountPath(directory)) else { return nil }
        return (try? JSON(parsing: bytes))?["url"]?.string
    }
}
