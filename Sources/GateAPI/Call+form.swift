import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

extension RequestForm {
    /// - Throws: `Problem` 422 naming every field that is missing, empty or no text.
    func require(_ required: [String], optional: [String] = []) throws(Problem) {
        let faults = faults(required: required, optional: optional)
        guard faults.isEmpty else { throw Problem(.invalid, "Some fields need attention.", errors: faults) }
    }

    /// What a PATCH asks of a field: not sent is not changed, `null` and empty take it away.
    func change(_ name: String) -> String?? {
        guard contains(name) else { return nil }
        let text = text(name) ?? ""
        return .some(text.isEmpty ? nil : text)
    }
}

extension Call {
    /// Reads the body and counts the request under `policies`, all asked together; then runs `handle`.
    ///
    /// A body that cannot be read is counted too: otherwise faulty requests would be free. `login-account` is asked only where the
    /// body names an address.
    func limited(
        by policies: [RequestLimits.Policy], _ handle: (RequestForm) async throws -> Response
    ) async throws -> Response {
        let form: Result<RequestForm, Problem>
        do throws(Problem) { form = .success(try await self.form()) } catch { form = .failure(error) }
        let email = (try? form.get())?.text("email").flatMap(EmailAddress.init)
        let questions = services.limits.questions(policies, network: request.client, account: email.map(identity.accountHash))
        let fields = try await services.limits.ask(questions, now: services.time.now())
        do {
            var response = try await handle(try form.get())
            response.encodedFields.append(fields)
            return response
        } catch {
            var problem = Problem(describing: error, of: request, log: services.log)
            for field in fields.fields where !problem.headers.contains(name: field.name) {
                problem.headers.add(name: field.name, value: field.value)
            }
            throw problem
        }
    }

    /// Signing in sets a cookie, so another site's page must not be able to do it with its own account (login CSRF, CHECKLIST 13).
    /// Programs send neither field and are let through.
    func refuseCrossSiteSignIn() throws(Problem) {
        let headers = request.headers
        guard headers.contains(name: "origin") || headers.contains(name: "sec-fetch-site") else { return }
        try refuseCrossSite()
    }

    /// What the session cookie identifies must come from our own pages.
    func refuseCrossSite() throws(Problem) {
        guard services.crossSite.permits(request) else {
            throw Problem(.crossSite, "The request must come from this site: Origin or Sec-Fetch-Site says otherwise.")
        }
    }
}
