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
    case cutPatchPads, cutPutStored, cutSingleStored, deepNamesRefused, deleteMissingBlobIsFine
    case deleteMissingIsFine, deleteRefusedAndDone, deleteTakesAllManifests, deleteTakesBlobs, deleteTakesMovedTags
    case deleteUnknownRepositoryIsFine, deletedBlobsLinger, deletedInPlace, deletedReferrersLinger
    case deletedTagsListed, digestBadIs404, digestCodeWrong, digestFormUnchecked, digestIs500, digestMismatchIs404
    case digestNotNeeded, digestUnchecked, digestsAreTags, digitNamesRefused, dockerImagesRefused
    case dockerListsRefused, dockerTypesAsOCI, dotsAreServed, dotsInNamesRefused, eightBitTaken, emptyBlobLost
    case emptyListsRefused, emptyPatch500, emptySecretTaken, emptySignatureTaken, endNotClamped, errorCodeForm
    case errorCodeOwn, errorFormatOwn, errorMessageNumber, escapes500, etagBare, everything500, everythingDropped
    case everythingHangs, existenceTold, expectIsIgnoredForever, filterMissesConfig, firstChunkAnywhere, floodIs500
    case foreignLayersNeeded, gapsTaken, garbageIs500, headBlob404, headBlobAlways, headBlobLength
    case headBlobNoDigest, headBlobRange, headBody, headErrorBody, headManifest404, headManifestAlways
    case headManifestLength, headManifestNoDigest, headManifestNoType, hexTagsAreDigests, hostNotNeeded, ifMatch500
    case ifMatchAnything, ifMatchMissingMakes, ifNoneMatchAlways, ifNoneMatchNever, ifNoneMatchPutIgnored
    case ifRangeIgnored, ifRangeRefused, indexAsManifest, indexTypeDropped, indexTypeInvented, invalidManifest500
    case issuedAtText, keyPathTaken, keyURLTaken, largeBlobsCut, lastChunkDigest, lastIgnored, lastInclusive
    case linkDeadHost, linkSeveral, locationDeadHost, locationOtherScheme
    case closesEach, busyAtTimes, secretsEverywhere, etagWeak, minimumChunkLarge, rangeTotalUntold
    case lastIsIndex, lastMustExist, lastNeedsN, lastScopeOnly, latestUndeletable, layerTypesChecked, linkForgetsN
    case linkForm, linkLoops, linkRelation, linkSkips, loginForbidden, longNames500, longNamesRefused
    case longTagsRefused, lostUpdates, malformedManifestDigestIs404, manifestCodeWrong, manifestDelete200
    case manifestDelete500, manifestDeleteDoesNothing, manifestDigestMissing, manifestDigestMissingByTag
    case manifestDigestUnchecked, manifestDigestWrong, manifestGet203, manifestPut200, manifestPutDigestWrong
    case manifestPutNoDigest, manifestPutNoLocation, manifestPutOnceOnly, manifestPutWrongLocation
    case manifestReencoded, manifestRewritten, manifestsAreBlobs, manifestsEverywhere, manyLayersRefused
    case mediaTypeNeeded, methodIgnored, minimumChunkText, missingBlobEmpty, missingCodeWrong, missingIs404
    case missingManifestMadeUp, missingHalfNamed, missingStoredAnyway, mountEscaped404, mountMalformed500
    case mountMissingIs404, mountMoves, mountNeverMade, mountNoLocation, mountSaysButDoesNot, mountScopeUnchecked
    case mountWithoutFrom500, mountWithoutFromUnchecked, movedTagLosesOld, nIgnored, nOneLess, nOneMore, nZeroIsAll
    case nZeroLinks, nameCodeWrong, nameIs500, namesLikeEndpointsRefused, namesUnchecked, namespaceLies
    case nestedRefused, noAllow, noAnnotations, noArtifactType, noChallenge, noConfigType, noLink, noReferrers
    case noScopeIsAll, noSubjectHeader, noTagHeader, ociImagesRefused, ociIndexesRefused, oddAuthorization500
    case oddChunkIs500, oddLengthTaken, oddN500, oddRange500, oddRangeTaken, oddScope500, oneByteBlobsCut
    case oneTagAManifest, otherBlobsCount, outOfOrder400, outOfOrderKills, outOfOrderTaken, overlapTaken
    case ownKeyTaken, ownersUnchecked, ownersUncheckedForReading, pagesUnsorted, patch204, patchNeedsLength
    case patchNeedsRange, patchNeedsType, patchNoLocation, patchNoRange, patchRangeOff, patchRangeUnit, pathsTold
    case plainDigestRefused, postFirstScopeOnly, pullTokensRefused, pushAgainRefused, pushByDigestTags
    case pushParametersRefused, putChunkedLost, putConditionsIgnored, putForgetsBody, putOnBlobWrites
    case putOutOfOrderTaken, raceTwice, rangeCodeWrong, rangeContentRangeWrong, rangeLengthUnchecked, rangeOdd206
    case rangeOffByOne, rangesIgnored, referrersEmptyIs204, referrersFilterAlwaysTold, referrersFilterIgnored
    case referrersFilterPretended, referrersFilterUntold, referrersFirstTen, referrersHideTagged
    case referrersLinkRelation, referrersMalformed404, referrersNeedSubject, referrersNoIndexes, referrersNoLink
    case referrersNoList, referrersOfAll, referrersPlainType, referrersRaceLost, referrersSizeWrong, referrersTwice
    case referrersUnfiltered, referrersUnknown404, referrersVersion, refreshBroken, repeatTaken
    case scopeActionUnchecked, scopeNeeded, scopeRepositoryUnchecked, scopesUnchecked, secondRequestLost
    case sessionsMix, sessionsOfAnybody, sessionsStayOpen, sessionsUnbound, severalRangesWrong, sha512AsSha256
    case sha512ManifestAsSha256, sha512Unchecked, shortLived, shortNamesRefused, signatureUnchecked
    case singlePostIgnored, singleUnchecked, slowBodyRefused, slowChunkLost, slowHeadRefused, smallManifests
    case staleAfterOther, staleManifest, status200, statusEndless, statusGrows, statusNoLocation, statusRangeUnit
    case statusTooFar
    case statusWrongLocation, storeLosesTail, subjectChecked, subjectHeaderWrong, suffixFromStart, suffixTooLong416
    case tagDeleteRefusedByDone, tagDeleteTakesManifest, tagHeaderFirstOnly, tagHeaderLies, tagListEmpty
    case tagQueryFive, tagQueryIgnored, tagQueryUnchecked, tagRaceLost, tags204, tagsDropped, tagsFoldCase
    case tagsInvented, tagsListedTwice, tagsNeverMove, tagsNoJSON, tagsNotStrings, tagsOfDeletedListed
    case tagsOfPrefix, tagsOtherName, tagsPlainType, tagsUnchecked, tagsUnsorted, tokenFieldOther, tokenPost500
    case tokensDiffer, tooManyAtTimes, twoLengthsTaken, typeConfusionTaken, typeIsJSON, typeParameters
    case underscoreNamesRefused, unfinishedVisible, unicodeMangled, unitCaseSensitive, unknownKeyTaken
    case unknownMembersDropped, unknownMethodFine, unknownRepository500, unknownRouteIsFine, headsLeadNowhere,
        firstWritersAll,
        oddNamesLost
    case unknownUpload500, unknownUploadHangs, unknownUploadIsFine, unsatisfiable200Cut, unsatisfiableFullLength
    case unsatisfiableNoSize, unsignedTaken, unsignedTakenAnyCase, untaggedIs500, uploadIdShared, uploadNeedsLength
    case uploadNoLocation, uploadNoUUID, uploadPost200, upperTagsRefused, versionHeadRefused, versionHeaderWrong
    case allowLies, blobHeadKept, blobHeadTombstone, cancelEndsOthers, catalogCut, catalogHidesNested
    case catalogLastInclusive, catalogType, catalogUnsorted, catalogZeroIsAll, childDeleteTakesIndex
    case deletedBlobsMounted, farRangesOff, headETagOther, headOfLists500, indexDeleteTakesChildren
    case largeRangesWrong, lastTagTakesManifest, longRangesEnd, manifestHeadKept, manifestHeadTombstone
    case manifestRangesWrong, missingBlobGetKept, missingBlobHeadKept, missingManifestGetKept
    case missingManifestHeadKept, missingTagsKept, noContentLength, notModifiedLength, notModifiedNoETag
    case pagedTagsKept, pagedTagsOtherName, pagedTagsTwice, partDigestOfPart, partETagOther, partNoDigest
    case rangesEverywhere, rangesKept, referrerDeleteTakesSubject, referrersGoneWithSubject, referrersKept
    case refusedPutTakesManifest, subjectDeleteTakesReferrers, tagHeadKept, tagsCut100, tagsCut20
    case wrongDigestStoredAsRight, wrongDigestTakesBlob
    case versionMissing, warningsHuge, warningsOther, warningsWithDate, wrongDigestKept, wrongTypesTaken

    // Found by a proxy that spoils the answers of a good registry, and those that it showed to be allowed.
    case acceptEncodingLies, artifactTypeFromConfigAlways, blobCodingTold, blobJSONRewritten, blobTextLineEnds
    case closeDigestWrong, closeNoDigest, fifthChunkRefused, filterBySubstring, filterMissesIndexes, filterPlusIsBlank
    case gzipCodingTold, gzipUnpacked, headDockerType, headEmpty404, headEmptyNoLength, headLarge404, headLargeLength
    case headTypeByDigestLost, indexAnnotationsMissing, indexPutDigestWrong, indexSizeWrong, indexTypeByDigestWrong
    case manyAnnotationsLost, mountDeadSession, mountDigestWrong, mountLocationSource, mountNoDigest, mountedNotUsable
    case referrersDataWrong, referrersOverTwenty, singleDigestWrong, singleNoDigest, subjectDropped
    case subjectHeaderAlways, subjectHeaderNotAgain, subjectHeaderNotByTag, subjectHeaderNotOnIndex
    case subjectHeaderNotWhenMissing, twoDigests, twoTypes, typeByDigestLost, typeEchoesAccept

    // What answers agree in, what is legal and seldom pushed, and registries that ask nobody.
    case annotationsOver100Refused, asksNobody, busyUntilDate, dataRefused, deepIndexRefused, deepMembersRefused
    case descriptorMembersRefused, etagOfTag, headBlobField, headIndexField, headManifestField, imageMembersRefused
    // What a login gives to whom.
    case anonymousTokens, anonymousPushes, partialRefused, insufficientIsInvalid, postAnyPassword, refreshIsAccess
    case refreshOfAnybody, tokenIsPassword, publicInPart
    case layersOver200Refused, nobodyTypesRefused, twoLengthsTold, urlsDropped, wideIndexRefused

    // What one node of several keeps to itself.
    case nodeOldBlobs, nodeOldLists, nodeOldManifests, nodeOldReferrers, nodeOldTags, nodeOldUploads, nodeOwnTags
    case nodeOwnUploads
}
