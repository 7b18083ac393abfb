package import GateHTTP

/// An authority as the certificate's life sees it: the port that ``ACMEClient`` implements.
///
/// Attempts for the same names must not run at the same time.
package protocol CertificateAuthority: Sendable {
    /// Of the directory: what this authority is known by.
    var directoryURL: HTTPURL { get }

    /// Registers the account where it has no URL, orders, proves control of the names, and downloads. Makes one new order at most.
    ///
    /// - Parameters:
    ///   - resume: an order of an earlier process or attempt. It is passed over where it is for other names, another profile or another
    ///     authority.
    ///   - save: called before the client goes on; throwing ends the attempt.
    func obtain(
        _ plan: CertificateRequestPlan, account: ACMEAccount, resume: SavedOrder?,
        save: @escaping @Sendable (ACMERecord) async throws -> Void
    ) async throws(ACMEFailure) -> IssuedCertificate

    /// When to renew, by the authority's word.
    ///
    /// - Parameter certificateID: RFC 9773 §4.1.
    /// - Returns: `nil` where the authority has no ARI.
    func renewalInfo(for certificateID: String) async throws(ACMEFailure) -> RenewalInfo?

    /// Tells the authority of the account's present addresses (RFC 8555 §7.3.2). The account has a URL.
    func updateContact(of account: ACMEAccount) async throws(ACMEFailure)
}

extension CertificateAuthority {
    /// For those that keep no addresses.
    package func updateContact(of account: ACMEAccount) async throws(ACMEFailure) {}
}
