/// Every fault that the stub can show, one switch each. Where it bites is where its name stands in the stub;
/// which check must find it stands in `fixtures/expected/faults.tsv`.
enum Fault: String, CaseIterable, Sendable {
    case acceptAnyIgnored, acceptFirstLine, acceptNeeded, acceptRangesLies, algorithm500, anyBodyTaken, anyCoding
    case anyPassword, anySizeTaken, anyTypeTaken, anyVersion, anybodyReads, anybodyUploads, anybodyWrites
    case artifactsRefused, audienceUnchecked, blankBeforeColonTaken, blobCut, blobDelete200, blobDelete500
    case blobDeleteDoesNothing, blobDeleteEverywhere, blobDeleteRefusedAndDone, blobDigestMissing, blobDigestWrong
    case blobFlipped, blobPut200, blobPutNoDigest, blobPutNoLocation, blobPutWrongLocation, blobsAreManifests
    case blobsEverywhere, blobsEverywhereKnown, blobsUnchecked, bodyShorterThanTold, bothListsTaken, cancel200
    case cancelDoesNothing, cancelUnsupported500, catalogForgets, catalogNoLink, catalogTellsAll, catalogTwice
    case challengeForm, challengeWithoutScope, chunksOverwrite, codesSwapped, concurrentLost, conditionMovesAnyway
    case connectionForgetsAfterErrors, cutManifestStored, cutPatchCorrupts, cutPatchDropsAll, cutPatchKillsSession
    case cutPatchPads, cutPutStored, cutSingleStored, deepNamesRefused, deleteMissingBlobIsFine, deleteMissingIsFine
    case deleteRefusedAndDone, deleteTakesAllManifests, deleteTakesBlobs, deleteTakesMovedTags
    case deleteUnknownRepositoryIsFine, deletedBlobsLinger, deletedReferrersLinger, deletedTagsListed
    case digestBadIs404, digestCodeWrong, digestFormUnchecked, digestIs500, digestMismatchIs404, digestNotNeeded
    case digestUnchecked, digestsAreTags, digitNamesRefused, dockerImagesRefused, dockerListsRefused
    case dockerTypesAsOCI, dotsAreServed, dotsInNamesRefused, eightBitTaken, emptyBlobLost, emptyListsRefused
    case emptyPatch500, emptySecretTaken, emptySignatureTaken, endNotClamped, errorCodeForm, errorCodeOwn
    case errorFormatOwn, errorMessageNumber, escapes500, etagBare, everything500, everythingDropped, everythingHangs
    case existenceTold, expectIsIgnoredForever, filterMissesConfig, firstChunkAnywhere, floodIs500
    case foreignLayersNeeded, gapsTaken, garbageIs500, headBlob404, headBlobAlways, headBlobLength, headBlobNoDigest
    case headBlobRange, headBody, headErrorBody, headManifest404, headManifestAlways, headManifestLength
    case headManifestNoDigest, headManifestNoType, hexTagsAreDigests, hostNotNeeded, ifMatch500, ifMatchAnything
    case ifMatchMissingMakes, ifNoneMatchAlways, ifNoneMatchNever, ifNoneMatchPutIgnored, ifRangeIgnored
    case ifRangeRefused, indexAsManifest, indexTypeDropped, indexTypeInvented, invalidManifest500, issuedAtText
    case keyPathTaken, keyURLTaken, largeBlobsCut, lastChunkDigest, lastIgnored, lastInclusive, lastIsIndex
    case lastMustExist, lastNeedsN, lastScopeOnly, latestUndeletable, layerTypesChecked, linkForgetsN, linkForm
    case linkLoops, linkRelation, linkSkips, loginForbidden, longNames500, longNamesRefused, longTagsRefused
    case malformedManifestDigestIs404, manifestCodeWrong, manifestDelete200, manifestDelete500
    case manifestDeleteDoesNothing, manifestDigestMissing, manifestDigestMissingByTag, manifestDigestUnchecked
    case manifestDigestWrong, manifestGet203, manifestPut200, manifestPutDigestWrong, manifestPutNoDigest
    case manifestPutNoLocation, manifestPutOnceOnly, manifestPutWrongLocation, manifestReencoded, manifestRewritten
    case manifestsAreBlobs, manifestsEverywhere, manyLayersRefused, mediaTypeNeeded, methodIgnored, minimumChunkText
    case missingBlobEmpty, missingCodeWrong, missingIs404, missingManifestMadeUp, missingNotNamed
    case missingStoredAnyway, mountEscaped404, mountMalformed500, mountMissingIs404, mountMoves, mountNeverMade
    case mountNoLocation, mountSaysButDoesNot, mountScopeUnchecked, mountWithoutFrom500, mountWithoutFromUnchecked
    case movedTagLosesOld, nIgnored, nOneLess, nOneMore, nZeroIsAll, nZeroLinks, nameCodeWrong, nameIs500
    case namesLikeEndpointsRefused, namesUnchecked, namespaceLies, nestedRefused, noAllow, noAnnotations
    case noArtifactType, noChallenge, noConfigType, noLink, noReferrers, noScopeIsAll, noSubjectHeader, noTagHeader
    case ociImagesRefused, ociIndexesRefused, oddAuthorization500, oddChunkIs500, oddLengthTaken, oddN500
    case oddRange500, oddRangeTaken, oddScope500, oneByteBlobsCut, oneTagAManifest, otherBlobsCount, outOfOrder400
    case outOfOrderKills, outOfOrderTaken, overlapTaken, ownKeyTaken, ownersUnchecked, ownersUncheckedForReading
    case pagesUnsorted, patch204, patchNeedsLength, patchNeedsRange, patchNeedsType, patchNoLocation, patchNoRange
    case patchRangeOff, patchRangeUnit, pathsTold, plainDigestRefused, postFirstScopeOnly, pushAgainRefused
    case pushByDigestTags, pushParametersRefused, putChunkedLost, putConditionsIgnored, putForgetsBody
    case putOnBlobWrites, putOutOfOrderTaken, raceTwice, rangeCodeWrong, rangeContentRangeWrong
    case rangeLengthUnchecked, rangeOdd206, rangeOffByOne, rangesIgnored, referrersEmptyIs204
    case referrersFilterAlwaysTold, referrersFilterIgnored, referrersFilterPretended, referrersFilterUntold
    case referrersFirstTen, referrersHideTagged, referrersLinkRelation, referrersMalformed404, referrersNeedSubject
    case referrersNoIndexes, referrersNoLink, referrersNoList, referrersOfAll, referrersPlainType, referrersRaceLost
    case referrersSizeWrong, referrersTwice, referrersUnfiltered, referrersUnknown404, referrersVersion
    case refreshBroken, repeatTaken, scopeActionUnchecked, scopeNeeded, scopeRepositoryUnchecked, scopesUnchecked
    case secondRequestLost, sessionsMix, sessionsOfAnybody, sessionsStayOpen, sessionsUnbound, severalRangesWrong
    case sha512AsSha256, sha512ManifestAsSha256, sha512Unchecked, shortLived, shortNamesRefused, signatureUnchecked
    case singlePostIgnored, singleUnchecked, slowBodyRefused, slowChunkLost, slowHeadRefused, smallManifests
    case staleAfterOther, staleManifest, status200, statusNoLocation, statusRangeUnit, statusTooFar
    case statusWrongLocation, storeLosesTail, subjectChecked, subjectHeaderWrong, suffixFromStart, suffixTooLong416
    case tagDeleteRefusedByDone, tagDeleteTakesManifest, tagHeaderFirstOnly, tagHeaderLies, tagQueryFive
    case tagQueryIgnored, tagQueryUnchecked, tagRaceLost, tags204, tagsDropped, tagsFoldCase, tagsInvented
    case tagsListedTwice, tagsNeverMove, tagsNoJSON, tagsNotStrings, tagsOfDeletedListed, tagsOfPrefix
    case tagsOtherName, tagsPlainType, tagsUnchecked, tagsUnsorted, tokenFieldOther, tokenPost500, tokensDiffer
    case tooManyAtTimes, twoLengthsTaken, typeConfusionTaken, typeIsJSON, typeParameters, underscoreNamesRefused
    case unfinishedVisible, unicodeMangled, unitCaseSensitive, unknownKeyTaken, unknownMembersDropped
    case unknownMethodFine, unknownRepository500, unknownRouteIsFine, unknownTagsEmpty, unknownUpload500
    case unknownUploadHangs, unknownUploadIsFine, unsatisfiable200Cut, unsatisfiableFullLength, unsatisfiableNoSize
    case unsignedTaken, unsignedTakenAnyCase, untaggedIs500, uploadIdShared, uploadNeedsLength, uploadNoLocation
    case uploadNoUUID, uploadPost200, upperTagsRefused, versionHeadRefused, versionHeaderWrong, versionMissing
    case warningsHuge, warningsOther, warningsWithDate, wrongDigestKept, wrongTypesTaken
}
