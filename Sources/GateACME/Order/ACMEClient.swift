package import GateCore
package import GateHTTP
package import Logging

/// A client of one authority (RFC 8555). It may be shared: directory and nonces are kept between calls, and nothing else.
package final class ACMEClient: CertificateAuthority {
    package let directoryURL: HTTPURL
    let session: AuthoritySession
    let presenting: any ChallengePresenting
    let time: any TimeSource
    let entropy: any Entropy
    let sleep: @Sendable (Duration) async throws -> Void
    let logger: Logger

    /// - Parameters:
    ///   - userAgent: RFC 8555 §6.1 wants one.
    ///   - sleep: how a while passes; it throws when the task is cancelled.
    package init(
        directory: HTTPURL, http: any OutgoingHTTP, presenting: any ChallengePresenting, time: any TimeSource, entropy: any Entropy,
        userAgent: String, logger: Logger, sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        directoryURL = directory
        session = AuthoritySession(directory: directory, http: http, time: time, userAgent: userAgent, logger: logger)
        self.presenting = presenting
        self.time = time
        self.entropy = entropy
        self.sleep = sleep
        self.logger = logger
    }

    package func obtain(
        _ plan: CertificateRequestPlan, account: ACMEAccount, resume: SavedOrder?,
        save: @escaping @Sendable (ACMERecord) async throws -> Void
    ) async throws(ACMEFailure) -> IssuedCertificate {
        let directory: DirectoryObject
        do throws(ACMEFailure) {
            directory = try await self.directory()
        } catch {
            var failure = error
            failure.challengeMemory = plan.challengeMemory
            failure.keepsOrder = resume != nil
            throw failure
        }
        var run = OrderRun(
            client: self, directory: directory, account: account,
            flow: OrderFlow(plan, directoryURL: directoryURL, directory: directory, resume: resume), save: save)
        let outcome = await run.toTheEnd()
        // Also where the attempt failed or was cancelled.
        for challenge in run.presented { await presenting.withdraw(challenge) }
        return try outcome.get()
    }

    package func renewalInfo(for certificateID: String) async throws(ACMEFailure) -> RenewalInfo? {
        guard let url = try await directory().renewalInfo?.appending(segment: certificateID) else { return nil }
        let answer = try await asking { () async throws(AuthoritySession.Failure) in try await self.session.get(url) }
        if let problem = answer.problem { throw refusal(problem, answer.retryAfter) }
        do throws(MalformedAnswer) {
            return try RenewalInfo(parsing: answer.body, retryAfter: answer.retryAfter)
        } catch {
            throw .unexpected(directoryURL.host, error)
        }
    }

    /// The authority's directory, for what it says about itself.
    package func directory() async throws(ACMEFailure) -> DirectoryObject {
        let result = try await asking { () async throws(AuthoritySession.Failure) in try await self.session.directory() }
        switch result {
        case .success(let directory): return directory
        case .failure(let refusal): throw self.refusal(refusal.problem, refusal.retryAfter)
        }
    }

    /// Turns the reasons why there is no answer into the failures that are told.
    func asking<Answer: Sendable>(_ ask: () async throws(AuthoritySession.Failure) -> Answer) async throws(ACMEFailure) -> Answer {
        do throws(AuthoritySession.Failure) {
            return try await ask()
        } catch {
            switch error {
            case .unanswered(let error): throw .unreachable(directoryURL.host, error, keepsOrder: false)
            case .misanswered(let error): throw .unexpected(directoryURL.host, error)
            case .unsigned(let error): throw ACMEFailure(.local, "The account's key cannot be used: \(error)", isWorthRetrying: false)
            }
        }
    }

    func refusal(_ problem: ProblemDocument, _ retryAfter: Duration?) -> ACMEFailure {
        .refused(by: directoryURL.host, problem, retryAfter: retryAfter.map { time.now() + $0 })
    }
}
