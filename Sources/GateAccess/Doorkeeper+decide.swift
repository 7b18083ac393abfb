import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

extension Doorkeeper {
    /// Whether who was counted may pass, and as whom.
    ///
    /// - Parameter fields: how the client stands under the limits.
    func decide(_ arrival: Arrival, at door: Door, as caller: Caller, _ fields: EncodedFields) -> Admission {
        if case .everyone = door.access { return .admitted(AdmittedRequest(arrival, responseFields: fields)) }
        if case .refused(let error) = caller { return refuse(error, arrival, fields) }
        guard let principal = caller.principal else {
            if case .optional = door.access { return .admitted(AdmittedRequest(arrival, responseFields: fields)) }
            return turnAway(arrival, fields)
        }
        if case .cookie = principal.method, isFromElsewhere(arrival.request) {
            // An open door lets everyone in: as nobody.
            if case .optional = door.access { return .admitted(AdmittedRequest(arrival, responseFields: fields)) }
            return refuse(Self.fromElsewhere, arrival, fields)
        }
        if case .organisation = door.access { return identify(principal, arrival, at: door, fields) }
        if case .role(let role) = door.access, !principal.mayActAs(role) { return refuse(IdentityError.forbidden, arrival, fields) }
        if let known = remembered.find(principal, at: door, now: time.now()) {
            return .admitted(AdmittedRequest(arrival, identity: known, responseFields: fields))
        }
        return identify(principal, arrival, at: door, fields)
    }

    /// An unsafe method, or an upgrade, that a page of another site made the browser send with its cookie (CHECKLIST 12, 15).
    private func isFromElsewhere(_ request: Request) -> Bool {
        request.isUpgrade ? !crossSite.isFromOwnPages(request) : !crossSite.permits(request)
    }

    private static let fromElsewhere = Problem(
        .crossSite, "The request must come from this site: Origin or Sec-Fetch-Site says otherwise.")

    /// Makes the fields anew, for which the profile is needed.
    private func identify(_ principal: Principal, _ arrival: Arrival, at door: Door, _ fields: EncodedFields) -> Admission {
        if let profile = identity.profileInPlace(of: principal) { return identify(principal, profile, arrival, at: door, fields) }
        return .later { [self] in
            do {
                return identify(principal, try await identity.profile(of: principal), arrival, at: door, fields)
            } catch {
                return refuse(error, arrival, fields)
            }
        }
    }

    private func identify(
        _ found: Principal, _ profile: UserProfile, _ arrival: Arrival, at door: Door, _ fields: EncodedFields
    ) -> Admission {
        var principal = found.named(profile.user.name)
        if case .organisation(let id) = door.access {
            // As of now, also for an access token: whoever has left is out.
            guard let membership = profile.memberships.first(where: { $0.organisation.id == id }) else {
                return refuse(IdentityError.forbidden, arrival, fields)
            }
            principal = principal.acting(in: id, as: membership.role)
        }
        let now = time.now()
        if let known = remembered.find(principal, at: door, now: now) {
            return .admitted(AdmittedRequest(arrival, identity: known, responseFields: fields))
        }
        do {
            let fieldsOfIdentity = try IdentityFields.encode(principal, audience: door.name, assertions: assertions, at: now)
            let made = AssertedIdentity(principal, madeFrom: found, at: door, fields: fieldsOfIdentity, now: now)
            remembered.store(made, at: door)
            return .admitted(AdmittedRequest(arrival, identity: made, responseFields: fields))
        } catch {
            return refuse(error, arrival, fields)
        }
    }

    /// Nobody is signed in: a person is shown where to, a program is told.
    private func turnAway(_ arrival: Arrival, _ fields: EncodedFields) -> Admission {
        let request = arrival.request
        guard request.isNavigation else {
            return refuse(IdentityError.notAuthenticated, arrival, fields)
        }
        let isSafe = request.method == .GET || request.method == .HEAD
        var response = Response(
            isSafe ? .found : .seeOther,
            headers: ["location": OwnPages.signIn + OwnPages.redirectQuery(for: request), "cache-control": "no-store"])
        response.encodedFields.append(fields)
        return .refused(response)
    }

    func refuse(_ error: any Error, _ arrival: Arrival, _ fields: EncodedFields = EncodedFields()) -> Admission {
        let request = arrival.request
        var response = Problem(describing: error, of: request, log: log).answer(to: request, baseURL: publicURL)
        cors.decorate(&response, for: request)
        response.encodedFields.append(fields)
        return .refused(response)
    }
}

extension Principal {
    /// Whether they have the role, or one that may do all that it may.
    fileprivate func mayActAs(_ role: String) -> Bool {
        if roles.contains(role) { return true }
        guard let place = Role.allCases.firstIndex(where: { $0.rawValue == role }) else { return false }
        return Role.allCases[..<place].contains { roles.contains($0.rawValue) }
    }
}
